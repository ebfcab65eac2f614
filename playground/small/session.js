// The session of the small explorer: the access token in a variable, the refresh token in the cookie. It is small because it asks the
// server whenever it is in doubt. Pages of your own should use the client package.

import { issuedToken, post } from "./post.js";

const REFRESH = "mutation Refresh { refreshToken { accessToken user { id username } } }";
/** Errors of a refresh that mean that the session is over, as in the client package. */
const FINAL = ["SESSION_NOT_FOUND", "SESSION_EXPIRED", "SESSION_REVOKED", "ACCOUNT_DISABLED", "EMAIL_NOT_VERIFIED"];

const listeners = new Set();
const otherTabs = new BroadcastChannel("hallpass:explorer");
/** `accessToken` and `user`, or null. */
let session = null;
let notice = "";
let refreshing;

function change(next, text = "") {
  session = next;
  notice = text;
  for (const listener of listeners) listener();
}

/** Exchanges the refresh token in the cookie. Concurrent calls share one request. Never rejects. */
function refresh() {
  const exchange = async () => {
    const { data, errors } = await post({ query: REFRESH });
    if (data?.refreshToken) change(data.refreshToken);
    else if (FINAL.includes(errors[0].extensions.code)) change(null, session && "Signed out: the session has ended");
  };
  return (refreshing ??= exchange().catch(() => {}).finally(() => (refreshing = undefined)));
}
otherTabs.onmessage = ({ data: isSignedIn }) => (isSignedIn ? refresh() : change(null));
refresh();

/** Calls `listener` at every change. */
export function subscribe(listener) {
  listeners.add(listener);
}

/** The status line. */
export function status() {
  return notice || (session ? `Signed in as ${session.user.username}` : "Not signed in");
}

export function isSignedIn() {
  return session !== null;
}

/** Ends the session, here and in the other tabs. */
export function signOut() {
  return send({ query: "mutation SignOut { logout { revokedSessions } }" }).catch(() => change(session, "Still signed in: the server cannot be reached"));
}

/**
 * Sends a GraphQL request with the access token; once more after a refresh if the token was rejected. Signs in with an `accessToken` in
 * the response. Returns the response.
 */
export async function send(request) {
  await refreshing;
  const used = session;
  let response = await post(request, {}, used?.accessToken);
  if (used && response.errors?.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED")) {
    if (session === used) await refresh();
    // Another user may have signed in meanwhile: never repeat the request as that user.
    if (session !== used && session?.user.id === used.user.id) response = await post(request, {}, session.accessToken);
  }

  const accessToken = issuedToken(response.data);
  if (accessToken) {
    const { data } = await post({ query: "{ me { id username } }" }, {}, accessToken);
    if (data?.me) change({ accessToken, user: data.me });
  } else if (response.data?.logout) {
    change(null);
  }
  if (accessToken || response.data?.logout) otherTabs.postMessage(isSignedIn());
  return response;
}
