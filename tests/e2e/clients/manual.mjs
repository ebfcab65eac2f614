// Follows "Add sign-in to a React app" in docs/front-ends.md in an empty folder, and uses the app in Chromium. The other files that the page,
// docs/second-factor.md and docs/passkeys.md show must compile. A failure leaves a screenshot in the folder of the binary.
// node manual.mjs <binary>

import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { check, finish } from "./checks.mjs";
import { createManualApp } from "./manual_app.mjs";
import { start } from "./server.mjs";

const binary = process.argv[2];
const PORTS = { hallpass: 8150, app: 8151 };

const app = createManualApp(`localhost:${PORTS.hallpass}`);
app.build();
check("the app of the manual compiles with its strict settings", true);

const origin = `http://localhost:${PORTS.app}`;
const stop = await start(binary, PORTS.hallpass, { ALLOWED_ORIGINS: origin, BCRYPT_COST: "10" });
const stopApp = await app.serve(PORTS.app);

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext();
const tab = await context.newPage();
const errors = [];
tab.on("pageerror", (error) => errors.push(String(error)));
try {
  await tab.goto(origin);
  await tab.getByLabel("Username").fill("ada");
  await tab.getByLabel("Password").fill("short");
  await tab.getByRole("button", { name: "Create account" }).click();
  await tab.getByText("Use at least 8 characters.").waitFor();
  check("a problem is shown at its field", true);
  await tab.getByLabel("Password").fill("correct horse battery");
  await tab.getByRole("button", { name: "Create account" }).click();
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check("the form registers", true);
  await tab.reload();
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check("a reload keeps the user signed in", true);
  const second = await context.newPage();
  await second.goto(origin);
  await second.getByRole("button", { name: "Sign out" }).click();
  await tab.getByRole("heading", { name: "Create an account" }).waitFor();
  check("signing out in the second tab signs out the first", true);
  await tab.getByRole("button", { name: "I have an account" }).click();
  await tab.getByLabel("Username").fill("ada");
  await tab.getByLabel("Password").fill("the wrong password");
  await tab.getByRole("button", { name: "Sign in" }).click();
  await tab.getByRole("alert").filter({ hasText: "incorrect" }).waitFor();
  check("a wrong password is reported above the form", true);
  check("the page has no errors", errors.length === 0, ...errors);
} catch (error) {
  await tab.screenshot({ path: join(dirname(binary), "manual.png") });
  throw error;
} finally {
  await browser.close();
}
stopApp();
await stop();
finish(6);
