// Chromium, the pages of the app, and mails.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { assert } from "../checks.mjs";
import { origin } from "./app.mjs";

export const PASSWORD = "correct horse battery";
/** The address that the proxy in front of the app reports. */
export const ADDRESS = "203.0.113.7";
const axe = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"));
/** A folder for screenshots of all pages. */
const screenshots = process.argv[3];
export const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

/** All tabs, and all that the browser received. */
export const tabs = [];
export const received = [];
export const problems = [];
export async function openBrowser(options = {}) {
  const context = await browser.newContext({ extraHTTPHeaders: { "x-forwarded-for": ADDRESS }, ...options });
  const tab = await context.newPage();
  tabs.push(tab);
  tab.on("pageerror", (error) => problems.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && problems.push(`${message.text()} ${message.location().url}`));
  tab.on("request", (request) => request.url().startsWith(origin) || problems.push(`a request to ${request.url()}`));
  tab.on("response", (response) => received.push(response.text().catch(() => ""), response.allHeaders().then(JSON.stringify, () => "")));
  return { context, tab };
}

export const heading = (tab, name) => tab.getByRole("heading", { level: 1, name }).waitFor();
export const press = (tab, name) => tab.getByRole("button", { name, exact: true }).click();
export const cookieOf = async (context) => (await context.cookies()).find(({ name }) => name === "session");
export async function fill(tab, values) {
  for (const [label, value] of Object.entries(values)) await tab.getByLabel(label, { exact: true }).fill(value);
}
export async function signIn(tab, username, password = PASSWORD) {
  await tab.goto(`${origin}/sign-in`);
  await fill(tab, { "Username or e-mail address": username, Password: password });
  await press(tab, "Sign in");
}

let shots = 0;
/** Checks the page with axe in light and dark, if it has scripts, and takes pictures if asked. */
export async function inspect(tab, name, hasScripts) {
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

/** Opens the link of the latest mail to an address. `mailbox` is the address of the page that shows the mails. */
export async function openLink(tab, mailbox, to, path) {
  const mails = await (await browser.newContext()).newPage();
  await mails.goto(mailbox);
  const link = mails.locator("article", { hasText: `To ${to},` }).locator(`.text a[href*="${path}"]`).first();
  for (const deadline = Date.now() + 30_000; (await link.count()) === 0 && Date.now() < deadline; ) await mails.reload();
  await tab.goto(await link.getAttribute("href"));
  await mails.context().close();
}
