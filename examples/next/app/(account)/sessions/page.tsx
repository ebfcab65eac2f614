import type { Session } from "@hallpass/client";
import { Form } from "@/components/form";
import { revokeOtherSessions, revokeSession } from "@/server/actions";
import { page } from "@/server/errors";
import { request } from "@/server/session";

export const metadata = { title: "Sessions" };

const SESSIONS = "query Sessions { me { id sessions { id isCurrent device ipAddress lastUsedAt } } }";

export default page(async () => {
  const { me } = await request<{ me: { sessions: Pick<Session, "id" | "isCurrent" | "device" | "ipAddress" | "lastUsedAt">[] } }>(SESSIONS);
  return (
    <>
      <h1>Sessions</h1>
      <ul className="card">
        {me.sessions.map(({ id, isCurrent, device, ipAddress, lastUsedAt }) => (
          <li key={id}>
            <div>
              <strong>{device}</strong> {isCurrent && <span className="badge">this one</span>}
              <p className="hint">
                {ipAddress}, used <time dateTime={lastUsedAt}>{formatTime(lastUsedAt)}</time>
              </p>
            </div>
            {!isCurrent && (
              <Form action={revokeSession} submit="Sign out" isSecondary>
                <input type="hidden" name="sessionId" value={id} />
              </Form>
            )}
          </li>
        ))}
      </ul>
      {me.sessions.length > 1 && <Form action={revokeOtherSessions} submit="Sign out all others" isSecondary />}
    </>
  );
});

function formatTime(time: string): string {
  return `${new Date(time).toLocaleString("en", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" })} UTC`;
}
