import type { SessionUser, User } from "@hallpass/client";
import { Form } from "@/components/form";
import { sendVerificationEmail } from "@/server/actions";
import { page } from "@/server/errors";
import { request } from "@/server/session";

const ME = "query Me { me { id username fullName email emailVerified roles createdAt } }";

export default page(async () => {
  const { me } = await request<{ me: Omit<SessionUser, "firstName"> & Pick<User, "createdAt"> }>(ME);
  return (
    <>
      <h1>Hello {me.fullName ?? me.username}</h1>
      <dl className="card">
        <dt>Username</dt>
        <dd>{me.username}</dd>
        <dt>E-mail</dt>
        <dd>{me.email ? `${me.email} (${me.emailVerified ? "verified" : "not verified yet"})` : "none"}</dd>
        <dt>Roles</dt>
        <dd>{me.roles.join(", ")}</dd>
        <dt>Member since</dt>
        <dd>{new Date(me.createdAt).toLocaleDateString("en", { dateStyle: "long", timeZone: "UTC" })}</dd>
      </dl>
      {me.email && !me.emailVerified && (
        <Form action={sendVerificationEmail} submit="Send the verification mail again" isSecondary>
          <input type="hidden" name="email" value={me.email} />
        </Form>
      )}
    </>
  );
});
