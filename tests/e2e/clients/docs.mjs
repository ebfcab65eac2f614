// Somebody reads the documentation of OAuth and REST in Chromium, signs in with "Authorize", and asks who they are. Nothing may
// leave the machine, and nothing may go wrong in the console.
// node docs.mjs <binary> swagger|small [<folder for pictures>]

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { fail, finish, pass } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, kind, pictures] = process.argv.slice(2);
const port = 8139;
const home = `http://localhost:${port}`;
const ada = { username: "ada", password: "correct horse battery" };

async function open(context, path) {
  const tab = await context.newPage();
  tab.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${home}/`) && !/^(data|blob):/.test(url)) fail(`${path} asked ${url}`);
  });
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) fail(`${path}: the console has: ${message.text()}`);
  });
  tab.on("pageerror", (error) => fail(`${path}: not caught: ${error}`));
  await tab.goto(`${home}${path}`);
  return tab;
}

/** Waits until a text is to be read at a place. */
async function reads(tab, selector, text) {
  const there = ([at, wanted]) => [...document.querySelectorAll(at)].some((found) => found.textContent.includes(wanted));
  await tab.waitForFunction(there, [selector, text], { timeout: 15000 });
}

async function swagger(context) {
  const tab = await open(context, "/docs");
  await reads(tab, ".opblock", "/users/me");
  await tab.locator(".auth-wrapper .authorize").first().click();
  await tab.locator("#oauth_username").fill(ada.username);
  await tab.locator("#oauth_password").fill(ada.password);
  await tab.locator(".auth-btn-wrapper .authorize").first().click();
  await reads(tab, ".auth-btn-wrapper", "Logout");
  await tab.locator(".auth-btn-wrapper .btn-done").first().click();
  const me = tab.locator(".opblock", { hasText: "/users/me" }).first();
  await me.locator(".opblock-summary-control").click();
  await me.getByRole("button", { name: "Try it out" }).click();
  await me.getByRole("button", { name: "Execute" }).click();
  await reads(tab, ".live-responses-table .response-col_status", "200");
  await reads(tab, ".live-responses-table", '"username": "ada"');
  if (pictures) await me.screenshot({ path: join(pictures, "docs.png") });

  const reader = await open(context, "/redoc");
  await reads(reader, "#docs h2", "The signed-in user");
  if (pictures) await reader.screenshot({ path: join(pictures, "redoc.png") });
}

async function small(context) {
  for (const path of ["/docs", "/redoc"]) {
    const tab = await open(context, path);
    await reads(tab, "summary", "GET /users/me");
    await tab.locator("#username").fill(ada.username);
    await tab.locator("#password").fill(ada.password);
    await tab.getByRole("button", { name: "Authorize" }).click();
    await reads(tab, "#status", "Signed in");
    await tab.locator("summary", { hasText: "GET /users/me" }).click();
    await tab.locator("details[open]").getByRole("button", { name: "Run" }).click();
    await reads(tab, "#answer", '"username":"ada"');
    if (pictures) await tab.screenshot({ path: join(pictures, "small-docs.png") });
  }
}

const stop = await start(binary, port, { BCRYPT_COST: "10" });
const registered = await fetch(`${home}/register`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(ada),
});
if (!registered.ok) throw new Error(await registered.text());
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  // The network is unplugged: no name but this machine's leads anywhere. Chromium's sandbox does not work for root.
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
try {
  await { swagger, small }[kind](context);
  pass();
} catch (error) {
  for (const tab of context.pages()) await tab.screenshot({ path: join(dirname(binary), "docs-failure.png") });
  fail(error.message);
}
await browser.close();
await stop();
finish();
