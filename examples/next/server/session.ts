import "server-only";
import { randomBytes } from "node:crypto";
import { createHallpass, type Hallpass, type MfaChallenge } from "@hallpass/client";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { store } from "./store";

const url = process.env.HALLPASS_URL ?? "http://localhost:8000/graphql";
/** Limits the memory. A session whose client was dropped is refreshed at its next request. */
const MAX_CLIENTS = 10_000;
/** No session of Hallpass lasts longer, see SESSION_MAX_DAYS. */
const MAX_AGE = 90 * 24 * 60 * 60;

/**
 * The clients of the sessions, the last used at the end. They have the access tokens. Requests of one session share its client, and so its
 * refresh. Next.js may load a module more than once, and a variable of the module would not be shared.
 */
const clients = ((globalThis as { hallpassClients?: Map<string, Hallpass> }).hallpassClients ??= new Map());

const visitor = createHallpass({ url, tokenDelivery: "BODY", headers: forwardedHeaders });

/** Sends a document that needs no user, such as `serverInfo`. */
export function publicRequest<Data>(document: string, variables: Record<string, unknown> = {}): Promise<Data> {
  return visitor.request<Data>(document, variables, { isPublic: true });
}

/** Sends a document for the signed-in user. Redirects to the sign-in page if there is none. */
export async function request<Data>(document: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const id = await readCookie();
  if (!id) redirect("/sign-in");
  const client = clientOf(id);
  try {
    return await client.request<Data>(document, variables);
  } catch (error) {
    if (client.getState().status === "signedOut") redirect("/sign-in?notice=ended");
    throw error;
  }
}

/**
 * Signs in with the client of a new session. The browser gets a new id each time, which prevents session fixation. Returns whether the
 * user is signed in: after a registration, they may have to verify their address first.
 */
export async function openSession(signIn: (client: Hallpass) => Promise<unknown>): Promise<boolean> {
  const id = randomBytes(32).toString("base64url");
  const client = createClient(id);
  await signIn(client);
  if (client.getState().status !== "signedIn") return false;
  await closeSession();
  keep(id, client);
  const cookie = await cookieSettings();
  (await cookies()).set({ ...cookie, value: id, maxAge: MAX_AGE });
  (await cookies()).set({ ...(await cookieSettings("challenge")), value: "", maxAge: 0 });
  return true;
}

/** Keeps what the second step of a sign-in needs. The browser that entered the password has it, and its scripts cannot read it. */
export async function keepChallenge({ token, expiresIn }: MfaChallenge): Promise<void> {
  (await cookies()).set({ ...(await cookieSettings("challenge")), value: token, maxAge: expiresIn });
}

/** The token for `verifyMfa`. */
export async function readChallenge(): Promise<string | undefined> {
  return readCookie("challenge");
}

/** Signs out. If Hallpass cannot be reached, its session continues, but its tokens are deleted. */
export async function closeSession(): Promise<void> {
  const id = await readCookie();
  if (!id) return;
  const client = clientOf(id);
  await client.logout().catch(() => client.forget());
  (await cookies()).set({ ...(await cookieSettings()), value: "", maxAge: 0 });
}

function clientOf(id: string): Hallpass {
  const client = clients.get(id) ?? createClient(id);
  keep(id, client);
  return client;
}

function createClient(id: string): Hallpass {
  return createHallpass({
    url,
    tokenDelivery: "BODY",
    headers: forwardedHeaders,
    storage: {
      get: () => store.get(id),
      set: (refreshToken) => store.set(id, refreshToken),
      delete: () => {
        clients.delete(id);
        return store.delete(id);
      },
    },
  });
}

function keep(id: string, client: Hallpass): void {
  clients.delete(id);
  clients.set(id, client);
  const [oldest] = clients.keys();
  if (clients.size > MAX_CLIENTS && oldest) clients.delete(oldest);
}

/** What Hallpass has to know of the browser: its address for the limits, and its name for the list of sessions. */
async function forwardedHeaders(): Promise<Record<string, string>> {
  const received = await headers();
  const names = ["x-forwarded-for", "user-agent"].filter((name) => received.has(name));
  return Object.fromEntries(names.map((name) => [name, received.get(name) ?? ""]));
}

async function readCookie(cookie?: string): Promise<string | undefined> {
  const { name } = await cookieSettings(cookie);
  return (await cookies()).get(name)?.value;
}

/** Secure and bound to the host, except while you develop or try the app on localhost. */
async function cookieSettings(name = "session") {
  const host = (await headers()).get("x-forwarded-host") ?? "";
  const secure = process.env.NODE_ENV === "production" && !/^localhost(:|$)/.test(host);
  return { name: secure ? `__Host-${name}` : name, httpOnly: true, sameSite: "lax", secure, path: "/" } as const;
}
