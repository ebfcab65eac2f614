// Follows "Add sign-in to a React app" in docs/front-ends.md in an empty folder, and uses the app in Chromium. The other files that the page
// and docs/second-factor.md show must compile. A failure leaves a screenshot in the folder of the binary.
// node manual.mjs <binary>

import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { check, finish } from "./checks.mjs";
import { blocks } from "./markdown.mjs";
import { atExit, emptyFolder, start } from "./server.mjs";

const binary = process.argv[2];
const PORTS = { hallpass: 8150, app: 8151 };
const repository = fileURLToPath(new URL("../../..", import.meta.url));
const pages = ["docs/front-ends.md", "docs/second-factor.md"].map((page) => readFileSync(join(repository, page), "utf8"));
const manual = pages.join("\n").replaceAll("localhost:8000", `localhost:${PORTS.hallpass}`);

const folder = emptyFolder();
for (const path of ["clients/typescript", "LICENSE-APACHE", "LICENSE-MIT"]) {
  const isSource = (file) => !/[/](node_modules|dist)$/.test(file);
  cpSync(join(repository, path), join(folder, "hallpass", path), { recursive: true, filter: isSource });
}
const commands = blocks(manual).find(({ language }) => language === "sh").text;
execFileSync("sh", ["-e", "-c", commands], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
const app = join(folder, "my-app");
const npm = (...parameters) => execFileSync("npm", parameters, { cwd: app, stdio: ["ignore", "ignore", "inherit"] });
for (const [, packages] of manual.matchAll(/\(`npm install (.*)`\)/g)) npm("install", ...packages.split(" "));
for (const { path, text } of blocks(manual)) {
  if (!path) continue;
  mkdirSync(dirname(join(app, path)), { recursive: true });
  writeFileSync(join(app, path), text);
}
npm("run", "build");
check("the app of the manual compiles with its strict settings", true);

const origin = `http://localhost:${PORTS.app}`;
const stop = await start(binary, PORTS.hallpass, { ALLOWED_ORIGINS: origin, BCRYPT_COST: "10" });
const vite = spawn("node", ["node_modules/vite/bin/vite.js", "--port", String(PORTS.app), "--strictPort"], { cwd: app, stdio: ["ignore", "pipe", "inherit"] });
atExit(() => vite.kill("SIGKILL"));
for await (const data of vite.stdout) if (String(data).includes("ready in")) break;
vite.stdout.resume();

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
vite.kill();
await stop();
finish(6);
