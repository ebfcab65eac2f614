// Verifies an address, changes it, resets a password and accepts invitations in Chromium without JavaScript. The mails are those of
// /dev/mail, and those of invitations arrive at a mail server.
// No request may leave the machine, and the console must have no errors or warnings.
// node pages.mjs <binary> [<folder for screenshots of all pages>]

import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { assert, fail, finish, pass } from "./checks.mjs";
import { linkIn, mailServer } from "./mail_server.mjs";
import { start } from "./server.mjs";

const [binary, screenshots] = process.argv.slice(2);
const port = 8127;
const smtpPort = 8128;
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

const CREATE_SESSION = "mutation($input: LoginInput!) { login(input: $input) { accessToken user { username email emailVerified firstName roles } } }";
const INVITE = "mutation($input: InviteUserInput!) { inviteUser(input: $input) { invitation { email roles } } }";

/** Opens the latest invitation to an address. `count` is the number of mails that the address gets. */
async function openInvitation(tab, { mailsTo }, to, subject, count = 1) {
  const mail = (await mailsTo(to, count)).at(-1);
  assert(`an invitation arrives: "${mail.subject}"`, mail.subject === subject);
  await tab.goto(linkIn(mail));
  return tab.url();
}

/** Fills in the form of an invitation and submits it. */
async function submit(tab, values) {
  for (const [name, value] of Object.entries(values)) await tab.locator(`#${name}`).fill(value);
  await tab.getByRole("button").click();
}

const valuesOf = (tab, ...names) => Promise.all(names.map((name) => tab.locator(`#${name}`).inputValue()));

/** The text that describes a field, and whether the field is marked as invalid. */
async function problemOf(tab, name) {
  const isInvalid = (await tab.locator(`#${name}`).getAttribute("aria-invalid")) === "true";
  const described = (await tab.locator(`#${name}`).getAttribute("aria-describedby")).split(" ");
  const id = `${name}-problem`;
  return isInvalid && described.includes(id) ? tab.locator(`#${id}`).textContent() : undefined;
}

/** Takes screenshots in light and dark, wide and narrow, and checks that the page fits. */
async function shootInvitation(tab, name) {
  for (const width of [1280, 390, 320]) {
    await tab.setViewportSize({ width, height: 800 });
    for (const colorScheme of ["light", "dark"]) {
      await tab.emulateMedia({ colorScheme });
      await shoot(tab, `${name}-${width}-${colorScheme}`);
    }
    const isWider = await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert(`${name} does not scroll sideways at ${width} pixels`, !isWider);
  }
}

/** An administrator invites. The form is rejected, corrected and accepted, and the link is opened again. */
async function invite(browser, server, administrator) {
  const tab = await open(browser, "en-GB");
  const { accessToken } = (await graphql(CREATE_SESSION, { input: { ...administrator, tokenDelivery: "BODY" } })).login;
  const email = "grace.hopper@example.org";
  const { invitation } = (await graphql(INVITE, { input: { email, roles: ["admin", "user"] } }, accessToken)).inviteUser;
  assert("the invitation has the address and the roles", invitation.email === email && invitation.roles.join() === "admin,user");

  const link = await openInvitation(tab, server, email, "You are invited to create an account");
  assert("the link leads to the page of the invitation", link.startsWith(`${home}/accept-invitation?token=`));
  assert("the link opens a form", (await heading(tab)) === "Create your account");
  assert("the form names the address", (await tab.textContent("main")).includes(email));
  assert("the fields are empty", (await valuesOf(tab, "username", "password", "first_name", "last_name")).join("") === "");
  await shootInvitation(tab, "invitation");

  const names = { first_name: "Grace <Brewster> & \"Amazing\"", last_name: "Hopper" };
  await submit(tab, { username: "GRACE-admin", password: "password123", ...names });
  assert("a weak password is rejected", (await problemOf(tab, "password")).startsWith("This password is too easy to guess."));
  const kept = async (username) => (await valuesOf(tab, "username", "first_name", "last_name")).join("|") === [username, ...Object.values(names)].join("|");
  assert("the form keeps what was typed", await kept("GRACE-admin"));
  assert("the form does not keep the password", (await valuesOf(tab, "password")).join() === "" && !(await tab.content()).includes("password123"));
  assert("the address of the form has no token", !tab.url().includes("token"));
  await shootInvitation(tab, "invitation-weak-password");

  await submit(tab, { username: administrator.username.toUpperCase(), password: "another good password" });
  assert("a taken username is rejected", (await problemOf(tab, "username")) === "This username is taken. Choose another.");
  assert("the password has no problem", (await problemOf(tab, "password")) === undefined);
  assert("the form still keeps what was typed", await kept(administrator.username.toUpperCase()));
  await submit(tab, { username: "grace hopper", password: "password123" });
  assert("an invalid username is rejected", (await problemOf(tab, "username")).startsWith("Use only letters"));
  assert("all problems are shown at once", (await problemOf(tab, "password")) !== undefined);
  await shootInvitation(tab, "invitation-problems");

  await submit(tab, { username: "grace", password: "another good password" });
  assert("accepting shows the result", (await heading(tab)) === "Your account is ready");
  assert("the page says what is next", (await tab.textContent("main")).includes("You can sign in now with your username and password"));
  assert("the result's URL does not contain the token", tab.url() === `${home}/accept-invitation?result=done`);
  await shootInvitation(tab, "invitation-accepted");
  const { user } = (await graphql(CREATE_SESSION, { input: { username: "grace", password: "another good password" } })).login;
  const expected = { username: "grace", email, emailVerified: true, firstName: names.first_name, roles: ["admin", "user"] };
  assert(`the account is that of the invitation: ${JSON.stringify(user)}`, JSON.stringify(user) === JSON.stringify(expected));

  const posts = [];
  tab.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  await tab.reload();
  assert("reloading shows the result", (await heading(tab)) === "Your account is ready");
  assert("no form was submitted again", posts.length === 0);
  await tab.goto(link);
  assert("a used link is invalid", (await heading(tab)) === "This link is not valid");
  assert("a used link says that it may be used, and what to do", (await tab.textContent("main")).includes("It may have been used already: then sign in to your account."));
  assert("a used link shows no form", (await tab.locator("form").count()) === 0);
  await shootInvitation(tab, "invitation-used");

  // A phone with Russian locale. The second invitation replaces the first.
  const phone = await open(browser, "ru-RU", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  const input = { email: "bob@example.org" };
  for (const count of [1, 2]) {
    await graphql(INVITE, { input }, accessToken, "ru");
    await server.mailsTo(input.email, count);
  }
  const [replaced] = await server.mailsTo(input.email, 2);
  await phone.goto(linkIn(replaced));
  assert("the link of a replaced invitation is invalid", (await heading(phone)) === "Эта ссылка недействительна");
  await openInvitation(phone, server, input.email, "Вас приглашают создать учётную запись", 2);
  assert("the form is in Russian", (await heading(phone)) === "Создайте учётную запись");
  await submit(phone, { username: "bob", password: "password123" });
  assert("the problem is in Russian", (await problemOf(phone, "password")).startsWith("Такой пароль подбирают первым."));
  await shoot(phone, "invitation-phone");
  await submit(phone, { password: "another good password" });
  assert("the result is in Russian", (await heading(phone)) === "Учётная запись создана");
  const bob = (await graphql(CREATE_SESSION, { input: { username: "bob", password: "another good password" } })).login.user;
  assert("without names and roles, the account has the default role", bob.firstName === null && bob.roles.join() === "user");
}

async function testInvitations(browser) {
  const server = mailServer({ authOptional: true, disabledCommands: ["STARTTLS"] });
  await server.listen(smtpPort);
  const administrator = { username: "administrator", password: "correct horse battery" };
  const settings = { SMTP_URL: `smtp://127.0.0.1:${smtpPort}`, MAIL_FROM: "Hallpass <accounts@example.org>", REGISTRATION_ENABLED: "false", BCRYPT_COST: "10" };
  const create = (run) => {
    run(["migrate"]);
    run(["user", "add", administrator.username, "--role", "admin"], `${administrator.password}\n`);
  };
  const stop = await start(binary, port, settings, create);
  await invite(browser, server, administrator);
  await stop();
  server.close();
}

const stop = await start(binary, port);
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
try {
  await verifyChangeAndReset(browser);
  await resetAndGoBack(browser);
  await stop();
  await testInvitations(browser);
} catch (error) {
  fail(error.message);
}
await browser.close();
finish(85);
