// The first twenty seconds: a person opens the explorer in Chromium, registers, asks who they are, signs out and asks again.
// Nothing may leave the machine, and nothing may go wrong in the console. A picture of a failure is left beside the binary.
// node explorer.mjs <binary> graphiql|small [<folder for the screenshots of the manual>]

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { assert, fail, failures, finish, pass } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, kind, screenshots] = process.argv.slice(2);
const port = 8126;
const home = `http://localhost:${port}`;

/** How one uses the two pages. */
const page = {
  graphiql: {
    ready: (tab) => tab.locator(".graphiql-query-editor .view-line").first().waitFor(),
    choose: (tab, name) => tab.getByRole("tablist").getByRole("button", { name, exact: true }).click(),
    run: (tab) => tab.getByRole("button", { name: /^Execute query/ }).click(),
    answer: ".result-window",
  },
  small: {
    ready: (tab) => tab.getByRole("button", { name: "Register" }).waitFor(),
    choose: (tab, name) => tab.getByRole("button", { name, exact: true }).click(),
    run: (tab) => tab.getByRole("button", { name: /Run/ }).click(),
    answer: "#answer",
  },
}[kind];

/** Does something, after which `wanted` must be what there is to read at `selector`. */
async function step(tab, name, act, selector, wanted) {
  try {
    await act();
    const reads = ([at, text]) => document.querySelector(at)?.textContent.replaceAll("\u00a0", " ").includes(text);
    await tab.waitForFunction(reads, [selector, wanted], { timeout: 15000 });
    pass();
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
}

/** Opens a tab that tells of every request to elsewhere and of every error in its console. */
async function open(context) {
  const tab = await context.newPage();
  tab.on("request", (request) => {
    if (!request.url().startsWith(`${home}/`) && !request.url().startsWith("data:")) fail(`asked ${request.url()}`);
  });
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) fail(`the console has: ${message.text()}`);
  });
  tab.on("pageerror", (error) => fail(`not caught: ${error}`));
  await tab.goto(home);
  await page.ready(tab);
  return tab;
}

const isSignedIn = "[data-signed-in]";

async function firstTwentySeconds(context) {
  const tab = await open(context);
  const run = () => page.run(tab);
  const choose = (name) => () => page.choose(tab, name);

  await step(tab, "initially not signed in", () => {}, isSignedIn, "Not signed in");
  const mails = tab.locator('a[href$="/dev/mail"]');
  assert("there is a link to the mails, without their key", (await mails.isVisible()) && !(await tab.content()).includes("key="));
  await step(tab, "register", run, page.answer, '"accessToken"');
  await step(tab, "the page shows the signed-in user", () => {}, isSignedIn, "Signed in as grace");
  await choose("Me")();
  await step(tab, "me", run, page.answer, '"username": "grace"');
  if (screenshots) {
    for (const colorScheme of ["dark", "light"]) {
      // The editor takes its theme when it is loaded.
      await tab.emulateMedia({ colorScheme });
      await tab.reload();
      await page.ready(tab);
      await choose("Me")();
      await step(tab, `me, ${colorScheme}`, run, page.answer, '"username": "grace"');
      await tab.screenshot({ path: join(screenshots, `explorer-${colorScheme}.png`) });
    }
  }

  const kept = await tab.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
  assert("neither token nor password is kept beyond the tab", !/eyJ|correct horse/.test(kept));
  await step(tab, "a reload does not sign out", () => tab.reload(), isSignedIn, "Signed in as grace");
  await page.ready(tab);
  const other = await open(context);
  await step(other, "another tab is not signed in", () => {}, isSignedIn, "Not signed in");
  await other.close();

  if (kind === "graphiql") await graphiqlOnly(tab);

  await choose("Refresh")();
  await step(tab, "refresh by cookie", run, page.answer, '"accessToken"');

  const signOut = () => tab.getByRole("button", { name: "Sign out" }).click();
  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  await choose("Me")();
  await step(tab, "me again", run, page.answer, "TOKEN_MISSING");
  await step(tab, "the hint", () => {}, page.answer, "The request has no `Authorization` header.");
  await choose("Refresh")();
  await step(tab, "the server has ended the session", run, page.answer, "SESSION_NOT_FOUND");
  await choose("Login")();
  await step(tab, "login", run, page.answer, '"lastLoginAt"');
  await step(tab, "signed in again", () => {}, isSignedIn, "Signed in as grace");
  const broken = () => tab.evaluate(() => sessionStorage.setItem("hallpass:accessToken", "nonsense"));
  await broken();
  await choose("Me")();
  await step(tab, "an invalid token is forgotten", run, isSignedIn, "the access token is no longer valid");
}

async function graphiqlOnly(tab) {
  const docs = tab.locator(".graphiql-plugin");
  await tab.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const openType = () => docs.getByText("ErrorExtensions", { exact: true }).click();
  await step(tab, "the docs describe errors", openType, ".graphiql-plugin", "Decide by this, never by the message.");
  await tab.getByRole("button", { name: "Hide Documentation Explorer" }).click();

  await page.choose(tab, "Me");
  await tab.getByRole("button", { name: "Headers" }).click();
  const headers = tab.locator('section[aria-label="Headers"] .monaco-editor:visible');
  await headers.click();
  await tab.keyboard.insertText('{ "authorization": "Bearer of bad news" }');
  await step(tab, "a custom header takes precedence", () => page.run(tab), page.answer, "TOKEN_INVALID");
  await step(tab, "and keeps the user signed in", () => {}, isSignedIn, "Signed in as grace");
  await headers.click();
  await tab.keyboard.press("ControlOrMeta+A");
  await tab.keyboard.press("Delete");
  await tab.getByRole("button", { name: "Variables" }).click();

  const background = () => tab.evaluate(() => getComputedStyle(document.querySelector(".graphiql-container")).backgroundColor);
  const light = await background();
  await tab.emulateMedia({ colorScheme: "dark" });
  assert("dark is another colour", light !== (await background()));
  await tab.emulateMedia({ colorScheme: "light" });

  const isUnderlined = async () => (await tab.locator(".squiggly-error:visible").count()) > 0;
  // The editor's workers look at everything, which takes them a while; then this has to be so, and to stay so.
  const expectUnderlined = async (name, expected) => {
    for (let tries = 0; tries < 20 && (tries < 2 || (await isUnderlined()) !== expected); tries += 1) await tab.waitForTimeout(250);
    assert(name, (await isUnderlined()) === expected);
  };
  for (const name of ["Register", "Login"]) {
    await page.choose(tab, name);
    await tab.locator('section[aria-label="Variables"] .view-line').first().waitFor();
    await expectUnderlined(`nothing in ${name} is underlined`, false);
  }

  // What has a default value may be left out, in an input and among the variables; the rest may not.
  const write = async (editor, text) => {
    await tab.locator(`${editor} .monaco-editor:visible`).click();
    await tab.keyboard.press("ControlOrMeta+A");
    await tab.keyboard.press("Delete");
    await tab.keyboard.insertText(text);
  };
  const variables = (text) => write('section[aria-label="Variables"]', text);
  await page.choose(tab, "Register");
  await variables('{ "input": { "username": "grace", "password": "correct horse" } }');
  await expectUnderlined("two fields are enough", false);
  await variables('{ "input": { "username": "grace" } }');
  await expectUnderlined("a missing password is underlined", true);
  await page.choose(tab, "ServerInfo");
  await write(".graphiql-query-editor", "query ServerInfo($yes: Boolean! = true, $no: Boolean!) { serverInfo @include(if: $yes) @skip(if: $no) { mailEnabled } }");
  await variables('{ "no": false }');
  await expectUnderlined("a variable with a default value may be left out", false);
  await variables("{}");
  await expectUnderlined("one without may not", true);
}

const stop = await start(binary, port);
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  // The network is unplugged: no name but this machine's leads anywhere. Chromium's sandbox does not work for root.
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme: "light" });
try {
  await firstTwentySeconds(context);
} catch (error) {
  fail(error.message);
}
if (failures() > 0) {
  const path = join(dirname(binary), "explorer-failed.png");
  await context.pages()[0]?.screenshot({ path });
  console.log(`how it looked: ${path}`);
}
await browser.close();
await stop();
finish({ graphiql: 25, small: 15 }[kind]);
