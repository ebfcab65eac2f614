// What happens to a session.

import { once } from "node:events";
import { createServer } from "node:http";
import { check } from "../checks.mjs";
import { PORTS, countSessions, origin } from "./app.mjs";
import { PASSWORD, cookieOf, fill, heading, inspect, openBrowser, press, signIn } from "./browser.mjs";
import { LOGIN, graphql } from "./hallpass.mjs";
import { count, proxied } from "./proxy.mjs";

export async function oneRefresh({ context, tab }) {
  // The access token of the sign-in has expired when it arrives. The refresh is held until all requests wait for it.
  proxied.after = (body, operation) => (operation === "Login" ? body.replace(/"expiresIn":\d+/, '"expiresIn":0') : body);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const begun = new Promise((begin) => {
    proxied.before = async (operation) => {
      if (operation !== "RefreshToken") return;
      begin();
      await held;
    };
  });
  const before = count("RefreshToken");
  const signedIn = signIn(tab, "bob");
  await begun;
  const { name, value } = await cookieOf(context);
  const get = async (path) => (await fetch(`${origin}${path}`, { headers: { cookie: `${name}=${value}` } })).text();
  const others = ["/profile", "/sessions"].map(get);
  // This page needs no session. It is requested after the others, so they have arrived when it is complete.
  await get("/register");
  release();
  const pages = await Promise.all(others);
  await signedIn;
  await heading(tab, "Hello Ada");
  check("concurrent requests with an expired token cause one refresh", count("RefreshToken") - before === 1, proxied.operations.slice(-20));
  check("all of them show their pages", pages.every((page, index) => page.includes(["<h1>Profile", "<h1>Sessions"][index])));
  Object.assign(proxied, { before: async () => {}, after: (body) => body });
}

export async function signInAgain({ context, tab }) {
  const previous = await cookieOf(context);
  await signIn(tab, "ada");
  await heading(tab, "Hello Ada");
  check("the next sign-in has another id", (await cookieOf(context)).value !== previous.value);
  const { login } = await graphql(LOGIN, { username: "ada", password: PASSWORD });
  check("the next sign-in ends the previous session", login.user.sessions.length === 2, login);
  await graphql("mutation { revokeOtherSessions { revokedSessions } }", undefined, login.accessToken);
  const files = countSessions();
  await tab.goto(`${origin}/profile`);
  await tab.getByText("Your session has ended. Sign in again.").waitFor();
  check("a session that ended elsewhere shows the sign-in page, and is removed", countSessions() === files - 1);
  await inspect(tab, "session-ended", true);
  await signIn(tab, "ada");
  await heading(tab, "Hello Ada");
  await tab.getByRole("link", { name: "Profile" }).click();
  await heading(tab, "Profile");
  const again = await graphql(LOGIN, { username: "ada", password: PASSWORD });
  await graphql("mutation { revokeOtherSessions { revokedSessions } }", undefined, again.login.accessToken);
  await press(tab, "Save");
  await tab.getByText("Your session has ended. Sign in again.").waitFor();
  check("a form of such a session shows the sign-in page", true);
  await signIn(tab, "ada");
  await heading(tab, "Hello Ada");
}

/** Submits a copy of a form of the app from a page of another origin of the same site: the browser sends the cookie. */
export async function crossOrigin({ context, tab }) {
  await tab.goto(`${origin}/profile`);
  await tab.getByLabel("First name").fill("Mallory");
  const form = await tab.locator("main form").evaluate((form) => {
    for (const input of form.elements) input.setAttribute("value", input.value);
    return form.outerHTML.replace(/action="[^"]*"/, `action="${location.href}"`);
  });
  const foreign = createServer((_, response) => response.setHeader("content-type", "text/html").end(`<!doctype html>${form}`));
  await once(foreign.listen(PORTS.foreign, "127.0.0.1"), "listening");
  const page = await context.newPage();
  await page.goto(`http://localhost:${PORTS.foreign}/`);
  const [request] = await Promise.all([page.waitForRequest((request) => request.method() === "POST"), press(page, "Save")]);
  const response = await request.response();
  const headers = await request.allHeaders();
  check("the browser sends the cookie with a form of another origin of the site", headers.cookie.startsWith("session="));
  check("the app rejects the form", response.status() >= 400, response.status());
  foreign.close();
  const { name, value } = await cookieOf(context);
  const body = request.postDataBuffer();
  for (const [from, isAccepted] of [["null", false], ["https://example.org", false], [origin, true]]) {
    const sent = { origin: from, cookie: `${name}=${value}`, "content-type": headers["content-type"] };
    await fetch(`${origin}/profile`, { method: "POST", body, headers: sent, signal: AbortSignal.timeout(30_000) });
    await tab.goto(origin);
    const isChanged = (await tab.locator("h1").textContent()) === "Hello Mallory";
    check(`a form with the origin ${from} is ${isAccepted ? "accepted" : "rejected"}`, isChanged === isAccepted);
  }
}

export async function outageAndRestart({ context, tab }, withScripts, restartApp) {
  proxied.isDown = true;
  await withScripts.tab.goto(`${origin}/register`);
  await heading(withScripts.tab, "This page cannot be shown");
  await inspect(withScripts.tab, "outage", true);
  await tab.goto(origin);
  await tab.getByText("Accounts are not available at the moment.").waitFor();
  proxied.isDown = false;
  await tab.getByRole("link", { name: "Try again" }).click();
  await heading(tab, "Hello Mallory");
  check("the user is signed in after the outage", true);
  await restartApp();
  await tab.reload();
  await heading(tab, "Hello Mallory");
  check("the user is signed in after a restart of the app", true);
  proxied.isDown = true;
  const files = countSessions();
  await press(tab, "Sign out");
  await heading(tab, "Sign in");
  check("signing out works during an outage", countSessions() === files - 1 && (await context.cookies()).length === 0);
  proxied.isDown = false;
}

/** The cookie of an app behind a proxy with https. */
export async function secureCookie() {
  const { tab } = await openBrowser({ javaScriptEnabled: false });
  await tab.goto(`${origin}/sign-in`);
  await fill(tab, { "Username or e-mail address": "ada", Password: PASSWORD });
  const [request] = await Promise.all([tab.waitForRequest((request) => request.method() === "POST"), press(tab, "Sign in")]);
  await heading(tab, "Hello Ada");
  const { "content-type": type } = await request.allHeaders();
  const headers = { origin: "https://app.example.org", "x-forwarded-host": "app.example.org", "x-forwarded-proto": "https", "content-type": type };
  const response = await fetch(`${origin}/sign-in`, { method: "POST", headers, body: request.postDataBuffer(), redirect: "manual" });
  const [cookie] = response.headers.getSetCookie();
  check("over https, the cookie is bound to the host and Secure", /^__Host-session=[\w-]{43};/.test(cookie) && /; Secure/i.test(cookie), cookie);
}
