// Who is signed in, and requests in their name: what both pages of the explorer share.

// In the browser's tab and nowhere else: a reload keeps the token, and closing the tab forgets it. localStorage would leave
// it behind on the disk for whoever opens the page next; a cookie would be sent by other sites too.
const KEY = "hallpass:accessToken";

const listeners = new Set();
let notice = "";

/** Calls `listener` at every change; returns what ends that. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What is to be shown: the name of who is signed in, or nothing, and why if that is news. The same string while it lasts. */
export function status() {
  const token = sessionStorage.getItem(KEY);
  return token ? `Signed in as ${usernameIn(token)}` : notice || "Not signed in";
}

export function isSignedIn() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Ends the session, which the server does for the token and for the cookie that no script can see, and forgets the token. */
export async function signOut() {
  const answer = await send({ query: "mutation SignOut { logout { revokedSessions } }" }).catch(() => ({}));
  change(null, answer.data?.logout ? "" : "Signed out here; the server could not be told");
}

function change(token, why) {
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
  notice = why;
  for (const listener of listeners) listener();
}

/** Reads the name in a token. It is for showing only: whether the token is good is for the server to say. */
function usernameIn(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).preferred_username ?? "someone";
  } catch {
    return "someone";
  }
}

/**
 * Sends a GraphQL request and returns the answer. The bearer goes along unless `headers` has an `Authorization` of its own,
 * and an `accessToken` in the answer is the bearer from then on.
 */
export async function send(request, headers = {}) {
  const all = new Headers(headers);
  all.set("content-type", "application/json");
  if (!all.has("accept")) all.set("accept", "application/graphql-response+json, application/json;q=0.9");
  const token = sessionStorage.getItem(KEY);
  const isOurs = token !== null && !all.has("authorization");
  if (isOurs) all.set("authorization", `Bearer ${token}`);

  let response;
  try {
    response = await fetch("/graphql", { method: "POST", headers: all, body: JSON.stringify(request) });
  } catch {
    throw new Error("The server can't be reached. Is it still running?");
  }
  const answer = await response.json().catch(() => {
    throw new Error(`The answer is not JSON; its status is ${response.status}.`);
  });

  const issued = Object.values(answer.data ?? {}).find((field) => typeof field?.accessToken === "string");
  if (issued) {
    change(issued.accessToken, "");
  } else if (isOurs && sessionStorage.getItem(KEY) === token && wasRejected(answer)) {
    change(null, "Signed out: the token is no longer good");
  }
  return answer;
}

function wasRejected(answer) {
  return (answer.errors ?? []).some(({ extensions }) => extensions?.code === "UNAUTHENTICATED");
}
