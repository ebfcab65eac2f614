// Verifies an address, changes it and resets a password in Chromium without JavaScript, with the mails that /dev/mail shows.
// No request may leave the machine, and the console must have no errors or warnings.
// node pages.mjs <binary> [<folder for screenshots of all pages>]

import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { assert, fail, finish, pass } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, screenshots] = process.argv.slice(2);
const port = 8127;
const home = `http://localhost:${port}`;

async function graphql(query, variables, bearer, language = "en") {
  const headers = { "content-type": "application/json", "accept-language": language, ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Opens a page in a new browser context for `locale`. */
async function open(browser, locale, more = {}) {
  const context = await browser.newContext({ locale, javaScriptEnabled: false, ...more });
  const tab = await context.newPage();
  tab.on("request", (request) => {
    if (!request.url().startsWith(`${home}/`) && !request.url().startsWith("data:")) fail(`unexpected request to ${request.url()}`);
  });
  tab.on("console", (message) => {
    // The browser logs every response with an error status.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    if (["error", "warning"].includes(message.type()) && !isStatus) fail(`console message: ${message.text()}`);
  });
  return tab;
}

let shots = 0;
async function shoot(tab, name) {
  shots += 1;
  if (screenshots) await tab.screenshot({ path: join(screenshots, `${String(shots).padStart(2, "0")}-${name}.png`), fullPage: true });
}

/** Waits until the latest mail has this subject and recipient. Returns it. */
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
    if (Date.now() > deadline) throw new Error(`no mail with subject: ${subject}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

const heading = (tab) => tab.locator("h1").textContent();

async function verifyChangeAndReset(browser) {
  const tab = await open(browser, "en-GB", { viewport: { width: 1280, height: 800 } });
  await tab.goto(`${home}/dev/mail`);
  assert("the mail page requires its key", (await tab.textContent("main")).includes("This page needs its key."));
  await tab.goto(`${home}${stop.mails}`);
  assert("there are no mails initially", (await tab.textContent("main")).includes("None yet."));
  await tab.goto(`${home}/dev/mail`);
  assert("the browser keeps the key", (await tab.textContent("main")).includes("None yet."));

  const register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
  const password = "correct horse battery";
  const input = { username: "ada", email: "ada@example.org", password };
  const { accessToken } = (await graphql(register, { input })).register;
  const me = async () => (await graphql("{ me { email emailVerified pendingEmail } }", {}, accessToken)).me;
  assert("the address is not verified initially", !(await me()).emailVerified);

  const mail = await openLatest(tab, "Confirm your e-mail address", "ada@example.org");
  await shoot(tab, "dev-mail");
  await mail.getByText("As HTML").click();
  assert("the mail greets the user by name", (await tab.textContent("body")).includes("Hello ada,"));
  await shoot(tab, "mail-verify");
  await tab.getByText("Confirm this address").click();
  assert("the link opens a form", (await heading(tab)) === "Confirm your e-mail address");
  await shoot(tab, "verify");
  assert("the form names the address", (await tab.textContent("main")).includes("ada@example.org"));
  assert("opening the form does not verify the address", !(await me()).emailVerified);
  const verification = tab.url();
  await tab.getByRole("button").click();
  assert("the button verifies the address", (await heading(tab)) === "Thank you" && (await me()).emailVerified);
  assert("the result's URL does not contain the token", tab.url() === `${home}/verify-email?result=done`);
  await shoot(tab, "verified");
  await tab.reload();
  assert("reloading shows the result", (await heading(tab)) === "Thank you");
  await tab.goBack();
  assert("going back shows the result", tab.url() === verification && (await heading(tab)) === "Thank you");
  assert("going back shows no form", (await tab.getByRole("button").count()) === 0);

  const change = "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { user { pendingEmail } } }";
  await graphql(change, { input: { newEmail: "ada@new.example" } }, accessToken);
  await (await openLatest(tab, "Confirm your e-mail address", "ada@new.example")).locator(".text a").click();
  await tab.getByRole("button").click();
  assert("the e-mail address is changed", (await me()).email === "ada@new.example");
  await openLatest(tab, "Your e-mail address was changed", "ada@example.org");

  // A phone with Russian locale and dark color scheme.
  const phone = await open(browser, "ru-RU", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  const ask = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
  await graphql(ask, { input: { email: "ADA@new.example" } }, undefined, "ru-RU,ru;q=0.9");
  const reset = await openLatest(phone, "Выберите новый пароль", "ada@new.example");
  await shoot(phone, "dev-mail-phone");
  await reset.getByText("As HTML").click();
  await shoot(phone, "mail-reset-phone");
  await phone.getByRole("link", { name: "Выбрать новый пароль" }).click();
  assert("the form is in Russian", (await heading(phone)) === "Выберите новый пароль");
  await shoot(phone, "reset-phone");
  assert("the password field has a minimum length of eight", (await phone.locator("#password").getAttribute("minlength")) === "8");
  const address = phone.url();
  await phone.locator("#password").fill("password123");
  await phone.getByRole("button").click();
  assert("a common password is rejected", (await phone.locator(".problem").textContent()).startsWith("Такой пароль подбирают первым."));
  const token = new URL(address).searchParams.get("token");
  assert("the form's URL does not contain the token", !phone.url().includes(token));
  await shoot(phone, "reset-too-common-phone");
  await phone.locator("#password").fill("another good password");
  await phone.getByRole("button").click();
  assert("the new password is accepted", (await heading(phone)) === "Пароль изменён");
  assert("the result's URL does not contain the reset token", phone.url() === `${home}/reset-password?result=done`);
  await shoot(phone, "reset-done-phone");
  await phone.goto(address);
  assert("a used link says that the password was changed", (await phone.textContent("main")).includes("Пароль уже изменён по этой ссылке"));
  assert("a used link shows no form", (await phone.locator("form").count()) === 0);
  await shoot(phone, "reset-used-phone");
  const login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
  await graphql(login, { input: { username: "ada@new.example", password: "another good password" } });
  for (const page of ["verify-email", "reset-password"]) {
    await phone.goto(`${home}/${page}?token=nothing`);
    assert(`an invalid link to ${page} shows an error`, (await heading(phone)) === "Эта ссылка недействительна");
    assert("an invalid link shows no form", (await phone.locator("form").count()) === 0);
  }
  await shoot(phone, "invalid-phone");
  await phone.goto(`${home}/reset-password`);
  assert("a link without a token is reported as incomplete", (await heading(phone)) === "Ссылка неполная");
  await openLatest(phone, "Ваш пароль изменён", "ada@new.example");
}

/** Resets a password, then reloads and goes back. No form may be submitted again. */
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
    assert("a password that is easy to guess is rejected", (await tab.locator(".problem").textContent()).startsWith("This password is too easy to guess."));
  }
  await shoot(tab, "reset-too-common");
  await tab.reload();
  assert("reloading shows the form with its error", (await tab.locator(".problem").count()) === 1);
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
  assert("going back shows no form", tab.url() === corrected && (await heading(tab)) === "This link was already used");
  while (tab.url() !== link) await tab.goBack();
  assert("the link is reported as used", (await heading(tab)) === "This link was already used");
  await shoot(tab, "reset-used");
  await tab.goto(`${home}/reset-password?result=done`);
  assert("no form was submitted again", posts.length === 0);
  for (const result of ["invalid", "expired", "taken"]) {
    await tab.goto(`${home}/verify-email?result=${result}`);
    assert(`the page for the result ${result} shows no form`, (await tab.locator("form").count()) === 0);
    await shoot(tab, result);
  }
}

const stop = await start(binary, port);
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
try {
  await verifyChangeAndReset(browser);
  await resetAndGoBack(browser);
} catch (error) {
  fail(error.message);
}
await browser.close();
await stop();
finish(30);
