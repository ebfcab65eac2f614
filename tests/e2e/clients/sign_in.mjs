// The sign-in page in Chromium: all methods, without JavaScript as far as possible, and the app of docs/sign-in-page.md.
// No request may leave the machine, and the console must have no errors or warnings.
// node sign_in.mjs <binary> [<folder for screenshots>]

import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { PASSWORD } from "./accounts.mjs";
import { check, fail, finish } from "./checks.mjs";
import { linkIn, mailServer } from "./mail_server.mjs";
import { blocks, page } from "./markdown.mjs";
import { atExit, emptyFolder, start } from "./server.mjs";
import { codeOf } from "./totp.mjs";
import { CLIENT, startProvider } from "./oidc_provider.mjs";
import { Authenticator, recordRequests } from "./virtual_authenticator.mjs";

const [binary, screenshots] = process.argv.slice(2);
const PORTS = { hallpass: 8191, app: 8192, mail: 8193, provider: 8194 };
const CHROMIUM = { executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] };
const home = `http://localhost:${PORTS.hallpass}`;
const app = `http://localhost:${PORTS.app}`;
/** The same app on another site than the server. */
const elsewhere = `http://127.0.0.1:${PORTS.app}`;
const manual = blocks(page(fileURLToPath(new URL("../../../docs/sign-in-page.md", import.meta.url))));
const APP = manual.find(({ language }) => language === "html").text.replace("http://localhost:8000", home);

async function graphql(query, variables, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function register(username) {
  const input = { username, email: `${username}@example.org`, password: PASSWORD, tokenDelivery: "BODY" };
  const { accessToken } = (await graphql("mutation($input: RegisterInput!) { register(input: $input) { accessToken } }", { input })).register;
  return accessToken;
}

/** Verifies the address of a user. */
async function verify(username) {
  const [mail] = await mailbox.mailsTo(`${username}@example.org`, 1);
  const token = new URL(linkIn(mail)).searchParams.get("token");
  await graphql("mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { user { id } } }", { input: { token } });
}

let shots = 0;
async function shoot(tab, name) {
  shots += 1;
  if (screenshots) await tab.screenshot({ path: join(screenshots, `${String(shots).padStart(2, "0")}-${name}.png`), fullPage: true });
}

/** Opens a browser. Its pages have scripts only if `options` say so. */
async function open(options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  context.setDefaultTimeout(20_000);
  context.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (!["localhost", "127.0.0.1"].includes(hostname) && protocol !== "data:") fail(`unexpected request to ${request.url()}`);
  });
  context.on("console", (message) => {
    // The browser logs every response with an error status.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    if (["error", "warning"].includes(message.type()) && !isStatus) fail(`console message: ${message.text()}`);
  });
  return { context, tab: await context.newPage() };
}

const title = (tab) => tab.locator("h1").textContent();
const problem = (tab) => tab.getByRole("alert").textContent();
const submit = (tab, name = "Sign in") => tab.getByRole("button", { name, exact: true }).click();

async function enterPassword(tab, username, password = PASSWORD) {
  await tab.getByLabel("Username or e-mail address").fill(username);
  await tab.getByLabel("Password", { exact: true }).fill(password);
  await submit(tab);
}

/** Waits for the end of a sign-in, which opening another page would cut short. */
const signedIn = (tab) => tab.getByRole("heading", { name: "You are signed in" }).waitFor();

async function isSignedIn(tab, username) {
  await tab.goto(`${home}/sign-in`);
  return (await title(tab)) === "You are signed in" && (await tab.locator("strong").textContent()) === username;
}

async function registration() {
  const { tab } = await open({ viewport: { width: 390, height: 844 } });
  await tab.goto(`${home}/sign-in?return_to=${encodeURIComponent(app)}`);
  await tab.getByRole("link", { name: "Create an account" }).click();
  await shoot(tab, "register");
  await tab.getByLabel("Username").fill("eve");
  await tab.getByLabel("Password", { exact: true }).fill("password");
  await submit(tab, "Create an account");
  await shoot(tab, "register-problem");
  const password = tab.getByLabel("Password", { exact: true });
  check("the problem of a field is its description", (await password.getAttribute("aria-describedby")).includes("password-problem"));
  await password.fill(PASSWORD);
  await submit(tab, "Create an account");
  await tab.waitForURL(`${app}/`);
  check("a new account is signed in, and returns to the app", await isSignedIn(tab, "eve"));
}

async function passwords() {
  await register("ada");
  const { tab } = await open({ viewport: { width: 1280, height: 800 } });
  await tab.goto(`${home}/sign-in`);
  await shoot(tab, "start");
  check("a passkey is not offered without scripts", !(await tab.getByText("passkey").isVisible()));
  await enterPassword(tab, "ada", "wrong password");
  await shoot(tab, "wrong-password");
  check("a wrong password is refused", (await problem(tab)) === "The username or password is incorrect.");
  check("the username stays in the form", (await tab.getByLabel("Username or e-mail address").inputValue()) === "ada");
  await tab.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await submit(tab);
  await signedIn(tab);
  await shoot(tab, "signed-in");
  check("the password signs in", await isSignedIn(tab, "ada"));
  await tab.goBack();
  await tab.reload();
  check("going back shows no form with the password", (await tab.getByLabel("Password", { exact: true }).count()) === 0 || (await tab.getByLabel("Password", { exact: true }).inputValue()) === "");
  await tab.goto(`${home}/sign-in`);
  await submit(tab, "Sign out");
  check("the button signs out", (await title(tab)) === "Sign in" && !(await isSignedIn(tab, "ada")));
}

/** The app of the manual. */
async function apps() {
  const { tab } = await open({ javaScriptEnabled: true });
  await tab.goto(`${app}/?page=2`);
  await tab.getByRole("link", { name: "Sign in" }).click();
  await enterPassword(tab, "ada");
  await tab.getByText("Hello ada").waitFor();
  check("the browser returns to the app, which is signed in", tab.url() === `${app}/?page=2`, tab.url());
  await tab.goto(`${home}/sign-in?return_to=${encodeURIComponent(app)}`);
  check("the browser stays on the page if it was signed in before", (await title(tab)) === "You are signed in");
  await tab.getByRole("link", { name: "Continue" }).click();
  await tab.getByText("Hello ada").waitFor();
  check("the link continues to the app", true);

  await tab.goto(elsewhere);
  await tab.getByRole("link", { name: "Sign in" }).click();
  await tab.getByText("You are signed in").waitFor();
  check("a sign-in is seen if another site opens the page", true);

  const response = await tab.goto(`${home}/sign-in?return_to=https%3A%2F%2Fevil.example%2F`);
  check("another address to return to is refused", response.status() === 400 && (await tab.locator("form").count()) === 0);
}

/** Returns the secret of a new authenticator app. */
async function addApp(token) {
  const { startTotpEnrollment } = await graphql("mutation { startTotpEnrollment { secret } }", {}, token);
  const input = { code: codeOf(startTotpEnrollment.secret, -1) };
  await graphql("mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }", { input }, token);
  return startTotpEnrollment.secret;
}

async function secondFactors() {
  const secret = await addApp(await register("bo"));
  const { tab } = await open({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await tab.goto(`${home}/sign-in?return_to=${encodeURIComponent(app)}`);
  await enterPassword(tab, "bo");
  await shoot(tab, "second-factor");
  check("the second factor is asked for", (await title(tab)) === "Confirm the sign-in");
  const code = tab.getByLabel("Code from the authenticator app");
  await code.fill("000000");
  await submit(tab, "Continue");
  check("a wrong code is refused", (await problem(tab)).startsWith("This code is incorrect"));
  await code.fill(codeOf(secret));
  await tab.getByLabel("Do not ask again in this browser").check();
  await submit(tab, "Continue");
  await tab.waitForURL(`${app}/`);
  check("the second factor signs in", await isSignedIn(tab, "bo"));
  await submit(tab, "Sign out");
  await enterPassword(tab, "bo");
  await signedIn(tab);
  check("the browser is remembered", await isSignedIn(tab, "bo"));
}

async function mails() {
  await register("cy");
  await verify("cy");
  const { context, tab } = await open({ locale: "ru-RU", viewport: { width: 390, height: 844 } });
  await tab.goto(`${home}/sign-in?return_to=${encodeURIComponent(app)}`);
  await shoot(tab, "start-ru");
  await tab.getByRole("link", { name: "Войти по письму" }).click();
  await tab.getByLabel("Адрес электронной почты").fill("cy@example.org");
  await shoot(tab, "mail-ru");
  await submit(tab, "Отправить письмо");
  await shoot(tab, "code-ru");
  const mail = (await mailbox.mailsTo("cy@example.org", 2)).at(-1);
  const link = linkIn(mail);

  const stranger = await open();
  await stranger.tab.goto(link);
  check("the link has no button in another browser", (await stranger.tab.locator("form").count()) === 0);

  const other = await context.newPage();
  await other.goto(link);
  await shoot(other, "link-ru");
  await submit(other, "Войти");
  await other.waitForURL(`${app}/`);
  check("the link signs in, and returns to the app", await isSignedInRu(other, "cy"));
  await submit(other, "Выйти");

  await other.goto(`${home}/sign-in?method=email`);
  await other.getByLabel("Адрес электронной почты").fill("cy@example.org");
  await submit(other, "Отправить письмо");
  const code = (await mailbox.mailsTo("cy@example.org", 3)).at(-1).text.match(/^\d{8}$/m)[0];
  await other.getByLabel("Код из 8 цифр").fill("0000 0000");
  await submit(other, "Войти");
  check("a wrong code of a mail is refused", (await problem(other)).startsWith("Ссылка или код неверны"));
  await other.getByLabel("Код из 8 цифр").fill(code);
  await submit(other, "Войти");
  check("the code signs in", await isSignedInRu(other, "cy"));

  const unknown = await open();
  await unknown.tab.goto(`${home}/sign-in?method=email`);
  await unknown.tab.getByLabel("E-mail address").fill("unknown@example.org");
  await submit(unknown.tab, "Send the message");
  check("an unknown address gets the same answer", (await title(unknown.tab)) === "Enter the code");

  await unknown.tab.goto(`${home}/sign-in?method=reset`);
  await unknown.tab.getByLabel("E-mail address").fill("cy@example.org");
  await submit(unknown.tab, "Send the message");
  check("a reset is requested", (await title(unknown.tab)) === "Check your mailbox");
  const reset = (await mailbox.mailsTo("cy@example.org", 4)).at(-1);
  check("the mail has the link of the reset", linkIn(reset).startsWith(`${home}/reset-password?token=`), reset);
}

async function isSignedInRu(tab, username) {
  await tab.goto(`${home}/sign-in`);
  return (await title(tab)) === "Вы вошли" && (await tab.locator("strong").textContent()) === username;
}

const START_PASSKEY = "mutation { startPasskeyRegistration { ceremonyToken options } }";
const FINISH_PASSKEY = "mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) { passkey { id } } }";

async function passkeys() {
  const token = await register("di");
  const { tab } = await open({ javaScriptEnabled: true });
  const authenticator = await Authenticator.attach(tab);
  /** The mediation of the requests that the user responds to. */
  let answered;
  await tab.exposeFunction("beforeRequest", (mediation) => authenticator.setPresent(mediation === answered));
  await tab.addInitScript(recordRequests);
  await tab.goto(`${home}/health/live`);
  const { ceremonyToken, options } = (await graphql(START_PASSKEY, {}, token)).startPasskeyRegistration;
  const credential = await tab.evaluate(async (json) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json);
    return (await navigator.credentials.create({ publicKey })).toJSON();
  }, options);
  await graphql(FINISH_PASSKEY, { input: { ceremonyToken, credential, name: "Phone" } }, token);

  await tab.goto(`${home}/sign-in?return_to=${encodeURIComponent(app)}`);
  await tab.waitForFunction(() => window.requests.includes("conditional"));
  await submit(tab, "Sign in with a passkey");
  await tab.getByText("Hello di").waitFor();
  check("the passkey signs in, and the browser returns to the app", tab.url() === `${app}/`, tab.url());

  answered = "conditional";
  await tab.goto(`${home}/sign-in`);
  await submit(tab, "Sign out");
  await tab.getByText("You are signed in").waitFor();
  check("the passkey is offered in the field of the username", (await tab.locator("strong").textContent()) === "di");

  answered = undefined;
  await submit(tab, "Sign out");
  await enterPassword(tab, "di");
  await tab.getByText("Confirm the sign-in").waitFor();
  await shoot(tab, "second-factor-passkey");
  await authenticator.setVerified(false);
  await submit(tab, "Sign in with a passkey");
  await tab.getByText("The passkey was not used.").waitFor();
  check("a passkey that was not used is explained", true);
  await authenticator.setVerified(true);
  await submit(tab, "Sign in with a passkey");
  await tab.getByText("You are signed in").waitFor();
  check("the passkey is the second factor of a password", true);
}

async function providers() {
  const { context, tab } = await open();
  await tab.goto(`${home}/sign-in?return_to=${encodeURIComponent(app)}`);
  await tab.getByRole("link", { name: "Sign in with Acme" }).click();
  await submit(tab, "Cancel");
  check("a cancelled sign-in returns to the page", (await problem(tab)).startsWith("The sign-in was cancelled"));
  await tab.getByRole("link", { name: "Sign in with Acme" }).click();
  await submit(tab, "fay");
  await tab.waitForURL(`${app}/`);
  check("the provider signs in, and the browser returns to the app", await isSignedIn(tab, "fay"));

  const refreshed = await context.request.post(`${home}/graphql`, { data: { query: "mutation { refreshToken { accessToken } }" } });
  const secret = await addApp((await refreshed.json()).data.refreshToken.accessToken);
  for (const isRemembered of [false, true]) {
    await tab.goto(`${home}/sign-in`);
    await submit(tab, "Sign out");
    await tab.getByRole("link", { name: "Sign in with Acme" }).click();
    await tab.getByText(isRemembered ? "You are signed in" : "Confirm the sign-in").waitFor();
    if (isRemembered) continue;
    check("the second factor is asked for after the provider", true);
    await tab.getByLabel("Code from the authenticator app").fill(codeOf(secret));
    await tab.getByLabel("Do not ask again in this browser").check();
    await submit(tab, "Continue");
    await signedIn(tab);
  }
  check("the browser is remembered after the provider, which is another site", await isSignedIn(tab, "fay"));

  await submit(tab, "Sign out");
  acme.isDown = "/token";
  await tab.getByRole("link", { name: "Sign in with Acme" }).click();
  await tab.getByRole("alert").waitFor();
  check("a failure of the provider is explained", (await problem(tab)).startsWith("The provider could not confirm"));
  acme.isDown = undefined;
}

/** A browser whose user has blocked all cookies. */
async function openWithoutCookies() {
  const folder = emptyFolder();
  mkdirSync(join(folder, "Default"));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(folder, { ...CHROMIUM, javaScriptEnabled: false });
  atExit(() => context.close());
  context.setDefaultTimeout(20_000);
  return context.newPage();
}

async function withoutCookies() {
  const tab = await openWithoutCookies();
  await tab.goto(`${home}/sign-in`);
  await enterPassword(tab, "ada");
  check("blocked cookies are explained", (await problem(tab)).startsWith("This browser did not keep the sign-in."));
  await tab.goto(`${home}/sign-in?method=email`);
  await tab.getByLabel("E-mail address").fill("cy@example.org");
  await submit(tab, "Send the message");
  await tab.getByLabel("Code of 8 digits").fill("12345678");
  await submit(tab);
  check("a code without the cookie is refused", (await problem(tab)).startsWith("This link or code is incorrect"));
  await tab.context().close();
}

async function serve(port, handle) {
  const server = createServer(handle);
  await new Promise((resolve) => server.listen(port, resolve));
  atExit(() => server.close());
}

const mailbox = mailServer({ authOptional: true, disabledCommands: ["STARTTLS"] });
await mailbox.listen(PORTS.mail);
atExit(() => mailbox.close());
await serve(PORTS.app, (_, response) => response.setHeader("content-type", "text/html").end(APP));
const acme = await startProvider({
  title: "Acme", port: PORTS.provider, redirectUri: `${home}/auth/acme/callback`,
  accounts: { fay: { email: "fay@example.org", email_verified: true, preferred_username: "fay" } },
});
const stop = await start(binary, PORTS.hallpass, {
  ALLOWED_ORIGINS: `${app},${elsewhere}`, EMAIL_SIGN_IN: "true", SMTP_URL: `smtp://127.0.0.1:${PORTS.mail}`, MAIL_FROM: "accounts@example.org",
  OIDC_PROVIDERS: "acme", ACME_NAME: "Acme", ACME_ISSUER: acme.issuer, ACME_CLIENT_ID: CLIENT.id, ACME_CLIENT_SECRET: CLIENT.secret,
  ACME_TRUST_EMAIL: "true", OUTGOING_ALLOW: `127.0.0.1:${PORTS.provider}`,
});
const browser = await chromium.launch(CHROMIUM);
atExit(() => browser.close());
for (const part of [registration, passwords, apps, secondFactors, mails, passkeys, providers, withoutCookies]) {
  try {
    await part();
  } catch (error) {
    fail(part.name, error.stack);
  }
}
await browser.close();
await stop();
finish(34);
