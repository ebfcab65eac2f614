// The signed-in user, and requests with their access token, for both explorers.

// In sessionStorage, so a reload keeps the token and closing the tab deletes it. localStorage would leave it on the disk for
// the next user of the browser; a cookie would also be sent with requests from other sites.
const KEY = "hallpass:accessToken";

const listeners = new Set();
let notice = "";

/** Calls `listener` at every change. Returns a function that unsubscribes. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The status line: who is signed in, or why the user has just been signed out. Returns the same string until it changes. */
export function status() {
  const token = sessionStorage.getItem(KEY);
  return token ? `Signed in as ${usernameIn(token)}` : notice || "Not signed in";
}

export function isSignedIn() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Ends the sessions of the access token and of the HttpOnly cookie, and deletes the token. */
export async function signOut() {
  const answer = await send({ query: "mutation SignOut { logout { revokedSessions } }" }).catch(() => ({}));
  change(null, answer.data?.logout ? "" : "Signed out here, but the server could not be reached to end the session");
}

function change(token, why) {
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
  notice = why;
  for (const listener of listeners) listener();
}

/** The username in a token, for display only; the server verifies the token. */
function usernameIn(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).preferred_username ?? "someone";
  } catch {
    return "someone";
  }
}

/**
 * Sends a GraphQL request with the access token, unless `headers` has an `Authorization`. An `accessToken` in the response
 * replaces the current one. Returns the response.
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
    throw new Error("The server cannot be reached. Is it still running?");
  }
  const answer = await response.json().catch(() => {
    throw new Error(`The response is not JSON. Its status is ${response.status}.`);
  });

  const issued = Object.values(answer.data ?? {}).find((field) => typeof field?.accessToken === "string");
  if (issued) {
    change(issued.accessToken, "");
  } else if (isOurs && sessionStorage.getItem(KEY) === token && wasRejected(answer)) {
    change(null, "Signed out: the access token is no longer valid");
  }
  return answer;
}

function wasRejected(answer) {
  return (answer.errors ?? []).some(({ extensions }) => extensions?.code === "UNAUTHENTICATED");
}
