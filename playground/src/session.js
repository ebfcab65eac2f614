// The session of GraphiQL's explorer, kept as the manual asks of pages: by the client package.

import { rejection } from "../../clients/typescript/src/errors.ts";
import { createHallpass, USER_FIELDS } from "../../clients/typescript/src/index.ts";
import { signalPasskeys, startedCeremony } from "./passkey.js";
import { issuedToken, post, qrCodeUrl } from "./post.js";

const hallpass = createHallpass({ url: new URL("graphql", location).href });
const listeners = new Set();
let notice = "";
/** The QR code of the last response, in no other place than this variable. */
let image = "";
/** The passkey ceremony of the last response. */
let started;

function change(text) {
  notice = text;
  for (const listener of listeners) listener();
}
hallpass.subscribe(() => change(""));
hallpass.start();

/** Calls `listener` at every change. Returns a function that unsubscribes. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The status line. Returns the same string until it changes. */
export function status() {
  const { status, user, reason, isOffline } = hallpass.getState();
  if (notice || isOffline) return notice || "The server cannot be reached. Trying again …";
  if (user) return `Signed in as ${user.username}`;
  if (status === "loading") return "Loading …";
  return reason && reason !== "SIGNED_OUT" ? "Signed out: the session has ended" : "Not signed in";
}

export function isSignedIn() {
  return hallpass.getState().status === "signedIn";
}

/** The QR code to show, as the URL of an image. Empty if the last response had none, or no user is signed in. */
export function qrCode() {
  return isSignedIn() ? image : "";
}

/** The passkey ceremony that the last response started. Undefined if it started none. */
export function ceremony() {
  return started;
}

/** Ends the session, here and in the other tabs. */
export function signOut() {
  return hallpass.logout().catch(() => change("Still signed in: the server cannot be reached"));
}

/**
 * Sends a GraphQL request with the access token, unless `headers` has an `Authorization`; once more after a refresh if the token was
 * rejected. Signs in with an `accessToken` in the response. Returns the response.
 */
export async function send(request, headers) {
  let authorization = new Headers(headers).has("authorization") ? null : await hallpass.authorize();
  for (let isRetry = false; ; isRetry = true) {
    const response = await post(request, headers, authorization?.accessToken);
    const rejected = rejection(response.errors ?? []);
    const renewed = rejected && (await hallpass.recover(authorization, rejected.reason, isRetry));
    if (!renewed) {
      await follow(request, response.data);
      return response;
    }
    authorization = renewed;
  }
}

/** Does what the data of a response means for the session. */
async function follow(request, data) {
  image = qrCodeUrl(data);
  started = startedCeremony(request, data);
  signalPasskeys(data);
  change(notice);
  const accessToken = issuedToken(data);
  if (accessToken) {
    // The operation selected what its author wanted to see.
    const query = `{ me { ${USER_FIELDS} } serverInfo { accessTokenLifetime } }`;
    const { data } = await post({ query }, {}, accessToken);
    if (data?.me) await hallpass.accept({ accessToken, expiresIn: data.serverInfo.accessTokenLifetime, user: data.me });
    // A user who must set up a second factor first cannot read these fields here, but in the payload of a refresh.
    else await hallpass.refresh();
  } else if (data?.logout) {
    await hallpass.forget();
  } else {
    hallpass.observe(data);
  }
}
