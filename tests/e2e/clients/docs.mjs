// Opens the OAuth and REST documentation in Chromium, signs in with "Authorize" and requests the current user. The pages must be readable
// in light and dark. No request may leave the machine, and the console must have no errors or warnings.
// node docs.mjs <binary> swagger|small [<folder for screenshots>]

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { check, fail, finish, pass } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, kind, screenshots] = process.argv.slice(2);
const port = 8139;
const home = `http://localhost:${port}`;
const ada = { username: "ada", password: "correct horse battery" };

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

async function open(context, path) {
  const tab = await context.newPage();
  tab.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${home}/`) && !/^(data|blob):/.test(url)) fail(`${path}: unexpected request to ${url}`);
  });
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) fail(`${path}: console message: ${message.text()}`);
  });
  tab.on("pageerror", (error) => fail(`${path}: uncaught error: ${error}`));
  await tab.goto(`${home}${path}`);
  return tab;
}

/** Waits until an element that matches `selector` contains `text`. */
async function waitForText(tab, selector, text) {
  const isPresent = ([selector, text]) => [...document.querySelectorAll(selector)].some((element) => element.textContent.includes(text));
  await tab.waitForFunction(isPresent, [selector, text], { timeout: 15000 });
}

/** Switches the system to dark and back while the page is open, and checks its colors. */
async function testColors(tab, name, change = (media) => tab.emulateMedia(media)) {
  for (const colorScheme of ["dark", "light"]) {
    await change({ colorScheme });
    const isFollowed = (isDark) => {
      const colors = [document.documentElement, document.body].map((element) => getComputedStyle(element).backgroundColor);
      const color = colors.find((color) => color !== "rgba(0, 0, 0, 0)") ?? "rgb(255, 255, 255)";
      return color.match(/\d+/g)[0] < 128 === isDark;
    };
    await tab.waitForFunction(isFollowed, colorScheme === "dark", { timeout: 15000 });
    // During a transition, an element has colors of neither scheme.
    const isSettled = () => !document.getAnimations().some((animation) => animation instanceof CSSTransition);
    await tab.waitForFunction(isSettled, undefined, { timeout: 15000 });
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate(() => axe.run({ runOnly: ["color-contrast"] }));
    const texts = violations.flatMap(({ nodes }) => nodes.map(({ target, any }) => `${target}: ${any[0]?.message}`));
    check(`${name} is readable in ${colorScheme}`, texts.length === 0, ...texts.slice(0, 5));
    if (screenshots) await tab.screenshot({ path: join(screenshots, `${name.slice(1)}-${colorScheme}.png`) });
  }
}

async function swagger(context) {
  const tab = await open(context, "/docs");
  await waitForText(tab, ".opblock", "/users/me");
  await tab.locator(".auth-wrapper .authorize").first().click();
  await tab.locator("#oauth_username").fill(ada.username);
  await tab.locator("#oauth_password").fill(ada.password);
  await tab.locator(".auth-btn-wrapper .authorize").first().click();
  await waitForText(tab, ".auth-btn-wrapper", "Logout");
  await tab.locator(".auth-btn-wrapper .btn-done").first().click();
  const me = tab.locator(".opblock", { hasText: "/users/me" }).first();
  await me.locator(".opblock-summary-control").click();
  await me.getByRole("button", { name: "Try it out" }).click();
  await me.getByRole("button", { name: "Execute" }).click();
  await waitForText(tab, ".live-responses-table .response-col_status", "200");
  await waitForText(tab, ".live-responses-table", '"username": "ada"');
  const closed = tab.locator(".opblock:not(.is-open) .opblock-summary-control");
  while ((await closed.count()) > 0) await closed.first().click();
  await testColors(tab, "/docs");

  const reader = await open(context, "/redoc");
  const isShown = () => waitForText(reader, "#docs h2", "The signed-in user");
  await isShown();
  await testColors(reader, "/redoc", async (media) => {
    await Promise.all([reader.waitForEvent("load"), reader.emulateMedia(media)]);
    await isShown();
  });
}

async function small(context) {
  for (const path of ["/docs", "/redoc"]) {
    const tab = await open(context, path);
    await waitForText(tab, "summary", "GET /users/me");
    await tab.locator("#username").fill(ada.username);
    await tab.locator("#password").fill(ada.password);
    await tab.getByRole("button", { name: "Authorize" }).click();
    await waitForText(tab, "#status", "Signed in");
    await tab.locator("summary", { hasText: "GET /users/me" }).click();
    await tab.locator("details[open]").getByRole("button", { name: "Run" }).click();
    await waitForText(tab, "#answer", '"username":"ada"');
    await testColors(tab, path);
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
  // Only localhost resolves, so no request can leave the machine. Chromium's sandbox does not work for root.
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
