// A person verifies an address, changes it and resets a password in Chromium, with the mails that /dev/mail shows and without
// any script. Nothing may leave the machine, and nothing may go wrong in the console.
// node pages.mjs <binary> [<a folder for pictures of all pages>]

import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { assert, fail, finish, pass } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, pictures] = process.argv.slice(2);
const port = 8127;
const home = `http://localhost:${port}`;

async function graphql(query, variables, bearer, language = "en") {
  const headers = { "content-type": "application/json", "accept-language": language, ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** A browser's window of somebody who reads `locale`. */
async function open(browser, locale, more = {}) {
  const context = await browser.newContext({ locale, javaScriptEnabled: false, ...more });
  const tab = await context.newPage();
  tab.on("request", (request) => {
    if (!request.url().startsWith(`${home}/`) && !request.url().startsWith("data:")) fail(`asked ${request.url()}`);
  });
  tab.on("console", (message) => {
    // The browser says so itself of every answer that is no success.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    if (["error", "warning"].includes(message.type()) && !isStatus) fail(`the console has: ${message.text()}`);
  });
  return tab;
}

let shots = 0;
async function shoot(tab, name) {
  shots += 1;
  if (pictures) await tab.screenshot({ path: join(pictures, `${String(shots).padStart(2, "0")}-${name}.png`), fullPage: true });
}

/** Waits for a mail with this subject, to this address, to be the latest. */
async function openLatest(tab, subject, to) {
  const deadline = Date.now() + 10000;
  for (;;) {
    await tab.goto(`${home}${stop.mails}`);
    const latest = tab.locator("article").first();
    const text = await latest.textContent();
    if (text.includes(subject) && text.includes(`To ${to},`)) {
      pass();
      return latest;
    }
    if (Date.now() > deadline) throw new Error(`no mail: ${subject}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

const heading = (tab) => tab.locator("h1").textContent();

async function life(browser) {
  const tab = await open(browser, "en-GB", { viewport: { width: 1280, height: 800 } });
  await tab.goto(`${home}/dev/mail`);
  assert("the mails need their key", (await tab.textContent("main")).includes("This page needs its key."));
  await tab.goto(`${home}${stop.mails}`);
  assert("no mails at first", (await tab.textContent("main")).includes("None yet."));
  await tab.goto(`${home}/dev/mail`);
  assert("the browser has kept the key", (await tab.textContent("main")).includes("None yet."));

  const register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
  const password = "correct horse battery";
  const input = { username: "ada", email: "ada@example.org", password };
  const { accessToken } = (await graphql(register, { input })).register;
  const me = async () => (await graphql("{ me { email emailVerified pendingEmail } }", {}, accessToken)).me;
  assert("not verified yet", !(await me()).emailVerified);

  const mail = await openLatest(tab, "Confirm your e-mail address", "ada@example.org");
  await shoot(tab, "dev-mail");
  await mail.getByText("As HTML").click();
  assert("the mail greets", (await tab.textContent("body")).includes("Hello ada,"));
  await shoot(tab, "mail-verify");
  await tab.getByText("Confirm this address").click();
  assert("the link leads to a form", (await heading(tab)) === "Confirm your e-mail address");
  await shoot(tab, "verify");
  assert("which names the address", (await tab.textContent("main")).includes("ada@example.org"));
  assert("which has done nothing yet", !(await me()).emailVerified);
  const verification = tab.url();
  await tab.getByRole("button").click();
  assert("the button has", (await heading(tab)) === "Thank you" && (await me()).emailVerified);
  assert("the token is not in the address any more", tab.url() === `${home}/verify-email?result=done`);
  await shoot(tab, "verified");
  await tab.reload();
  assert("reloading sends nothing again", (await heading(tab)) === "Thank you");
  await tab.goBack();
  assert("going back sends nothing again", tab.url() === verification && (await heading(tab)) === "Thank you");
  assert("and offers no second confirmation", (await tab.getByRole("button").count()) === 0);

  const change = "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { user { pendingEmail } } }";
  await graphql(change, { input: { newEmail: "ada@new.example" } }, accessToken);
  await (await openLatest(tab, "Confirm your e-mail address", "ada@new.example")).locator(".text a").click();
  await tab.getByRole("button").click();
  assert("the account has moved", (await me()).email === "ada@new.example");
  await openLatest(tab, "Your e-mail address was changed", "ada@example.org");

  // A phone in Russian, in the dark.
  const phone = await open(browser, "ru-RU", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  const ask = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
  await graphql(ask, { input: { email: "ADA@new.example" } }, undefined, "ru-RU,ru;q=0.9");
  const reset = await openLatest(phone, "Выберите новый пароль", "ada@new.example");
  await shoot(phone, "dev-mail-phone");
  await reset.getByText("As HTML").click();
  await shoot(phone, "mail-reset-phone");
  await phone.getByRole("link", { name: "Выбрать новый пароль" }).click();
  assert("the form is Russian", (await heading(phone)) === "Выберите новый пароль");
  await shoot(phone, "reset-phone");
  assert("the browser itself asks for eight characters", (await phone.locator("#password").getAttribute("minlength")) === "8");
  const address = phone.url();
  await phone.locator("#password").fill("password123");
  await phone.getByRole("button").click();
  assert("too common", (await phone.locator(".problem").textContent()).startsWith("Такой пароль подбирают первым."));
  const token = new URL(address).searchParams.get("token");
  assert("the token is not in the form's address", !phone.url().includes(token));
  await shoot(phone, "reset-too-common-phone");
  await phone.locator("#password").fill("another good password");
  await phone.getByRole("button").click();
  assert("the password is a new one", (await heading(phone)) === "Пароль изменён");
  assert("the token is not in the result's address", phone.url() === `${home}/reset-password?result=done`);
  await shoot(phone, "reset-done-phone");
  await phone.goto(address);
  assert("a second click says that it is done", (await phone.textContent("main")).includes("Пароль уже изменён по этой ссылке"));
  assert("and asks for no password", (await phone.locator("form").count()) === 0);
  await shoot(phone, "reset-used-phone");
  const login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
  await graphql(login, { input: { username: "ada@new.example", password: "another good password" } });
  for (const page of ["verify-email", "reset-password"]) {
    await phone.goto(`${home}/${page}?token=nothing`);
    assert(`a bad link to ${page} says so at once`, (await heading(phone)) === "Эта ссылка недействительна");
    assert("and has no form", (await phone.locator("form").count()) === 0);
  }
  await shoot(phone, "invalid-phone");
  await phone.goto(`${home}/reset-password`);
  assert("half a link", (await heading(phone)) === "Ссылка неполная");
  await openLatest(phone, "Ваш пароль изменён", "ada@new.example");
}

/** Resets a password, and goes back and on: what was sent is never sent again. */
async function resetAndGoBack(browser) {
  const tab = await open(browser, "en-GB", { viewport: { width: 1280, height: 800 } });
  const ask = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
  await graphql(ask, { input: { email: "ada@new.example" } });
  await tab.goto(`${home}${stop.mails}`);
  await (await openLatest(tab, "Choose a new password", "ada@new.example")).locator(".text a").click();
  const link = tab.url();
  await shoot(tab, "reset");
  for (const refused of ["password123", "ada@new.example"]) {
    await tab.locator("#password").fill(refused);
    await tab.getByRole("button").click();
    assert("the password is too common", (await tab.locator(".problem").textContent()).startsWith("This password is too easy to guess."));
  }
  await shoot(tab, "reset-too-common");
  await tab.reload();
  assert("reloading shows the form", (await tab.locator(".problem").count()) === 1);
  const corrected = tab.url();
  await tab.locator("#password").fill("a third good password");
  await tab.getByRole("button").click();
  assert("the password is changed", (await heading(tab)) === "The password is changed");
  await shoot(tab, "reset-done");
  const posts = [];
  tab.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  await tab.reload();
  assert("reloading shows the result", (await heading(tab)) === "The password is changed");
  await tab.goBack();
  assert("going back leads to no form", tab.url() === corrected && (await heading(tab)) === "This link was already used");
  while (tab.url() !== link) await tab.goBack();
  assert("the link says that it was used", (await heading(tab)) === "This link was already used");
  await shoot(tab, "reset-used");
  await tab.goto(`${home}/reset-password?result=done`);
  assert("nothing was sent again", posts.length === 0);
  for (const result of ["invalid", "expired", "taken"]) {
    await tab.goto(`${home}/verify-email?result=${result}`);
    assert(`a page tells ${result}`, (await tab.locator("form").count()) === 0);
    await shoot(tab, result);
  }
}

const stop = await start(binary, port);
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
try {
  await life(browser);
  await resetAndGoBack(browser);
} catch (error) {
  fail(error.message);
}
await browser.close();
await stop();
finish(30);
