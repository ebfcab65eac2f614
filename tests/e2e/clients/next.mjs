// Builds examples/next as its README says, and uses it in Chromium with and without JavaScript. A proxy between the app and Hallpass
// counts, holds and changes requests. A failure leaves screenshots in the folder of the binary.
// node next.mjs <binary> [<folder for screenshots of all pages>]

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, readdirSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { assert, check, finish } from "./checks.mjs";
import { atExit, emptyFolder, start } from "./server.mjs";

const [binary, screenshots] = process.argv.slice(2);
const PORTS = { hallpass: 8175, proxy: 8176, app: 8177, foreign: 8178 };
const origin = `http://localhost:${PORTS.app}`;
const repository = fileURLToPath(new URL("../../..", import.meta.url));
const axe = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"));
const PASSWORD = "correct horse battery";
const ADDRESS = "203.0.113.7";

// The app, built in a copy.
const folder = emptyFolder();
for (const path of ["clients/typescript", "examples/next"]) {
  const isSource = (file) => !/[/](node_modules|dist|\.next|\.sessions)$/.test(file);
  cpSync(join(repository, path), join(folder, path), { recursive: true, filter: isSource });
}
const app = join(folder, "examples/next");
const sessions = join(app, ".sessions");
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", HALLPASS_URL: `http://localhost:${PORTS.proxy}/graphql` };
const [, commands] = /^```sh\n(.*?)^```/ms.exec(readFileSync(join(app, "README.md"), "utf8"));
execFileSync("sh", ["-e", "-c", commands], { cwd: app, env, stdio: ["ignore", "ignore", "inherit"] });
check("the app builds with its strict settings", true);
const bundle = readdirSync(join(app, ".next/static"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
check("the code for the browser knows nothing of tokens", bundle.length > 0 && !/accessToken|refreshToken/.test(bundle.join()));

/** The log of the app, which is printed after a failure: it has errors that are expected. */
const log = [];
async function startApp() {
  const next = spawn("node", ["node_modules/next/dist/bin/next", "start", "--port", String(PORTS.app)], { cwd: app, env, stdio: ["ignore", "pipe", "pipe"] });
  atExit(() => next.kill("SIGKILL"));
  next.stderr.on("data", (data) => log.push(data));
  for await (const data of next.stdout) if (String(data).includes("Ready in")) break;
  next.stdout.resume();
  return async () => {
    next.kill();
    await once(next, "exit");
  };
}

/** The proxy: records operations and tokens. `before` and `after` may hold a request, and change its response. */
const proxied = { operations: [], tokens: new Set(), isDown: false, before: async () => {}, after: (body) => body };
const count = (name) => proxied.operations.filter((operation) => operation === name).length;
const proxy = createServer(async (received, response) => {
  if (proxied.isDown) return received.socket.destroy();
  const text = Buffer.concat(await received.toArray()).toString();
  const [, operation] = /(?:mutation|query) (\w+)/.exec(text);
  proxied.operations.push(operation);
  await proxied.before(operation);
  const forwarded = httpRequest({ port: PORTS.hallpass, host: "127.0.0.1", path: received.url, method: received.method, headers: received.headers });
  forwarded.end(text);
  const [answer] = await once(forwarded, "response");
  const body = Buffer.concat(await answer.toArray()).toString();
  for (const [, token] of body.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g)) proxied.tokens.add(token);
  response.writeHead(answer.statusCode, { "content-type": answer.headers["content-type"] }).end(proxied.after(body, operation));
});
await once(proxy.listen(PORTS.proxy, "127.0.0.1"), "listening");

const settings = { APP_URL: origin, PROXY_HEADER: "x-forwarded-for", TRUSTED_PROXIES: "127.0.0.1", BCRYPT_COST: "10" };
const stopHallpass = await start(binary, PORTS.hallpass, settings);
let stopApp = await startApp();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Calls Hallpass without the app. */
async function graphql(query, input, accessToken) {
  const headers = { "content-type": "application/json", ...(accessToken && { authorization: `Bearer ${accessToken}` }) };
  const body = JSON.stringify({ query, variables: { input } });
  const response = await fetch(`http://localhost:${PORTS.hallpass}/graphql`, { method: "POST", headers, body });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
const LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken user { sessions { device ipAddress } } } }";

/** All tabs, and all that the browser received. */
const tabs = [];
const received = [];
const problems = [];
async function openBrowser(options = {}) {
  const context = await browser.newContext({ extraHTTPHeaders: { "x-forwarded-for": ADDRESS }, ...options });
  const tab = await context.newPage();
  tabs.push(tab);
  tab.on("pageerror", (error) => problems.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  tab.on("request", (request) => request.url().startsWith(origin) || problems.push(`a request to ${request.url()}`));
  tab.on("response", (response) => received.push(response.text().catch(() => ""), response.allHeaders().then(JSON.stringify)));
  return { context, tab };
}

const heading = (tab, name) => tab.getByRole("heading", { level: 1, name }).waitFor();
const press = (tab, name) => tab.getByRole("button", { name, exact: true }).click();
const cookieOf = async (context) => (await context.cookies()).find(({ name }) => name === "session");
async function fill(tab, values) {
  for (const [label, value] of Object.entries(values)) await tab.getByLabel(label, { exact: true }).fill(value);
}
async function signIn(tab, username, password = PASSWORD) {
  await tab.goto(`${origin}/sign-in`);
  await fill(tab, { "Username or e-mail address": username, Password: password });
  await press(tab, "Sign in");
}

let shots = 0;
/** Checks the page with axe in light and dark, if it has scripts, and takes pictures if asked. */
async function inspect(tab, name, hasScripts) {
  shots += 1;
  for (const colorScheme of ["light", "dark"]) {
    await tab.emulateMedia({ colorScheme });
    if (screenshots) await tab.screenshot({ path: join(screenshots, `${String(shots).padStart(2, "0")}-${name}-${colorScheme}.png`), fullPage: true });
    if (!hasScripts) continue;
    await tab.addScriptTag({ path: axe });
    const { violations } = await tab.evaluate(() => window.axe.run());
    assert(`${name} is accessible in ${colorScheme}: ${JSON.stringify(violations.map(({ id, nodes }) => [id, nodes[0].html]))}`, violations.length === 0);
  }
}

/** Opens the link of the latest mail to an address. */
async function openLink(tab, to, path) {
  const mails = await (await browser.newContext()).newPage();
  await mails.goto(`http://localhost:${PORTS.hallpass}${stopHallpass.mails}`);
  const link = mails.locator("article", { hasText: `To ${to},` }).locator(`.text a[href*="${path}"]`).first();
  for (const deadline = Date.now() + 30_000; (await link.count()) === 0 && Date.now() < deadline; ) await mails.reload();
  await tab.goto(await link.getAttribute("href"));
  await mails.context().close();
}

async function lifeCycle(username, options) {
  const hasScripts = options.javaScriptEnabled !== false;
  const how = hasScripts ? "with JavaScript" : "without JavaScript";
  const { context, tab } = await openBrowser(options);
  await context.addCookies([{ name: "session", value: "chosen-by-an-attacker", url: origin }]);
  await tab.goto(origin);
  await heading(tab, "Sign in");
  await inspect(tab, "sign-in", hasScripts);
  await tab.getByRole("link", { name: "Create an account" }).click();
  await heading(tab, "Create an account");
  const email = `${username}@example.org`;
  await fill(tab, { Username: username, "E-mail address": email, Password: "short" });
  await press(tab, "Create account");
  await tab.getByText("Use at least 8 characters.").waitFor();
  const field = tab.getByLabel("Password");
  check(`${how}, a problem is shown at its field`, (await field.getAttribute("aria-invalid")) === "true");
  check(`${how}, a rejected form keeps what was typed, except the password`, (await tab.getByLabel("Username").inputValue()) === username && (await field.inputValue()) === "");
  await inspect(tab, "register-problem", hasScripts);
  await fill(tab, { Password: PASSWORD });
  await press(tab, "Create account");
  await heading(tab, `Hello ${username}`);
  const cookie = await cookieOf(context);
  check(`${how}, a sign-in makes a new id`, cookie.value.length >= 43 && (await context.cookies()).length === 1);
  check(`${how}, the cookie is HttpOnly and SameSite=Lax`, cookie.httpOnly && cookie.sameSite === "Lax" && cookie.path === "/");
  await inspect(tab, "home", hasScripts);

  await press(tab, "Send the verification mail again");
  await tab.getByRole("status").waitFor();
  await openLink(tab, email, "/verify-email");
  await inspect(tab, "verify-email", hasScripts);
  await press(tab, "Verify");
  await tab.getByText("Your e-mail address is verified.").waitFor();
  await tab.goto(origin);
  await tab.getByText(`${email} (verified)`).waitFor();
  check(`${how}, the link in the mail verifies the address`, true);

  await tab.getByRole("link", { name: "Profile" }).click();
  await fill(tab, { Username: "no spaces", "First name": "Ada" });
  await press(tab, "Save");
  await tab.locator("#username-text").waitFor();
  await fill(tab, { Username: username });
  await press(tab, "Save");
  await tab.getByText("Your profile is saved.").waitFor();
  await inspect(tab, "profile", hasScripts);
  check(`${how}, the form shows the saved profile`, (await tab.getByLabel("First name").inputValue()) === "Ada");
  await tab.getByRole("link", { name: "Home" }).click();
  await heading(tab, "Hello Ada");
  check(`${how}, the profile can be changed`, true);

  await graphql(LOGIN, { username, password: PASSWORD });
  await tab.getByRole("link", { name: "Sessions" }).click();
  await heading(tab, "Sessions");
  const items = tab.getByRole("main").getByRole("listitem");
  check(`${how}, Hallpass sees the forwarded address and browser`, /Chrom/.test(await items.filter({ hasText: ADDRESS }).textContent()));
  await inspect(tab, "sessions", hasScripts);
  await press(tab, "Sign out all others");
  await items.filter({ hasText: "node" }).waitFor({ state: "detached" });
  check(`${how}, other sessions can be ended`, true);

  await tab.getByRole("link", { name: "Password" }).click();
  await heading(tab, "Password");
  await fill(tab, { "Current password": "not this one", "New password": "another good password" });
  await press(tab, "Change password");
  await tab.locator("#currentPassword-text").waitFor();
  await inspect(tab, "password-problem", hasScripts);
  await fill(tab, { "Current password": PASSWORD, "New password": "another good password" });
  await press(tab, "Change password");
  await tab.getByText("Your password is changed.").waitFor();
  check(`${how}, the password can be changed`, true);

  await tab.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await heading(tab, "Sign in");
  check(`${how}, signing out removes the cookie`, (await context.cookies()).length === 0);
  // Without JavaScript, the previous page is the result of a form, which the browser does not load again by itself.
  await (hasScripts ? tab.goBack() : tab.goto(`${origin}/password`));
  await heading(tab, "Sign in");
  check(`${how}, going back after it shows no page of the user`, true);

  await tab.goto(`${origin}/forgot-password`);
  await inspect(tab, "forgot-password", hasScripts);
  await fill(tab, { "E-mail address": email });
  await press(tab, "Send a link");
  await tab.getByRole("status").waitFor();
  await openLink(tab, email, "/reset-password");
  await fill(tab, { "New password": "password123" });
  await press(tab, "Save");
  await tab.locator("#newPassword-text").filter({ hasText: "easy to guess" }).waitFor();
  await inspect(tab, "reset-password", hasScripts);
  await fill(tab, { "New password": PASSWORD });
  await press(tab, "Save");
  await tab.getByText("Your password is changed. Sign in with the new one.").waitFor();
  await signIn(tab, username, "the wrong password");
  await tab.getByRole("alert").filter({ hasText: "incorrect" }).waitFor();
  await inspect(tab, "sign-in-problem", hasScripts);
  await signIn(tab, username);
  await heading(tab, "Hello Ada");
  check(`${how}, a forgotten password can be replaced`, true);
  return { context, tab };
}

async function oneRefresh({ context, tab }) {
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

async function signInAgain({ context, tab }) {
  const previous = await cookieOf(context);
  await signIn(tab, "ada");
  await heading(tab, "Hello Ada");
  check("the next sign-in has another id", (await cookieOf(context)).value !== previous.value);
  const { login } = await graphql(LOGIN, { username: "ada", password: PASSWORD });
  check("the next sign-in ends the previous session", login.user.sessions.length === 2, login);
  await graphql("mutation { revokeOtherSessions { revokedSessions } }", undefined, login.accessToken);
  const files = readdirSync(sessions).length;
  await tab.goto(`${origin}/profile`);
  await tab.getByText("Your session has ended. Sign in again.").waitFor();
  check("a session that ended elsewhere shows the sign-in page, and is removed", readdirSync(sessions).length === files - 1);
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
async function crossOrigin({ context, tab }) {
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
  await page.close();
  foreign.close();
  const { name, value } = await cookieOf(context);
  const body = headers["content-type"] && request.postDataBuffer();
  for (const [from, isAccepted] of [["null", false], ["https://example.org", false], [origin, true]]) {
    const options = { method: "POST", body, headers: { origin: from, cookie: `${name}=${value}`, "content-type": headers["content-type"] } };
    await fetch(`${origin}/profile`, options);
    await tab.goto(origin);
    const isChanged = (await tab.locator("h1").textContent()) === "Hello Mallory";
    check(`a form with the origin ${from} is ${isAccepted ? "accepted" : "rejected"}`, isChanged === isAccepted);
  }
}

async function outageAndRestart({ context, tab }, withScripts) {
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
  await stopApp();
  stopApp = await startApp();
  await tab.reload();
  await heading(tab, "Hello Mallory");
  check("the user is signed in after a restart of the app", true);
  proxied.isDown = true;
  const files = readdirSync(sessions).length;
  await press(tab, "Sign out");
  await heading(tab, "Sign in");
  check("signing out works during an outage", readdirSync(sessions).length === files - 1 && (await context.cookies()).length === 0);
  proxied.isDown = false;
}

/** The cookie of an app behind a proxy with https. */
async function secureCookie() {
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

try {
  const ada = await lifeCycle("ada", {});
  const bob = await lifeCycle("bob", { javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  await oneRefresh(bob);
  await signInAgain(ada);
  check("the pages have no errors", problems.length === 0, ...problems);
  await crossOrigin(bob);
  await outageAndRestart(bob, ada);
  await secureCookie();
  const texts = (await Promise.all(received)).join("\n");
  assert("the texts of pages were recorded", texts.includes("<h1>Hello") && texts.includes("set-cookie"));
  check("no token reaches the browser", proxied.tokens.size > 10 && [...proxied.tokens].every((token) => !texts.includes(token)));
} catch (error) {
  console.error(Buffer.concat(log).toString());
  for (const [index, tab] of tabs.filter((tab) => !tab.isClosed()).entries()) {
    await tab.screenshot({ path: join(dirname(binary), `next-${index + 1}.png`), fullPage: true });
  }
  throw error;
}
await browser.close();
await stopApp();
await stopHallpass();
finish(20);
