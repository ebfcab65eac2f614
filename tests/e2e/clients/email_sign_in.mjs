// Sign-in by mail in Chromium: a page with the code of docs/email-sign-in.md, and a mail server. A failure leaves a screenshot of each page
// in the folder of the binary.
// node email_sign_in.mjs <binary>

import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, parse, validate } from "graphql";
import { chromium } from "playwright-core";
import { assert, check, fail, finish } from "./checks.mjs";
import { linkIn, mailServer } from "./mail_server.mjs";
import { blocks, page } from "./markdown.mjs";
import { atExit, start } from "./server.mjs";
import { codeOf } from "./totp.mjs";

const binary = process.argv[2];
const PORTS = { hallpass: 8186, app: 8187, smtp: 8188 };
const home = `http://localhost:${PORTS.hallpass}`;
const app = `http://localhost:${PORTS.app}`;
const PASSWORD = "correct horse battery";
const manual = blocks(page(fileURLToPath(new URL("../../../docs/email-sign-in.md", import.meta.url))));
const operations = manual.filter(({ language }) => language === "graphql").map(({ text }) => text);
const operation = (name) => operations.find((text) => text.includes(name));
const [prepare] = manual.filter(({ language }) => language === "js");

const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
const VERIFY = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
const LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
const START_TOTP = "mutation { startTotpEnrollment { secret } }";
const CONFIRM_TOTP = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { user { id } } }";
const VERIFY_MFA = "mutation($input: VerifyMfaInput!) { verifyMfa(input: $input) { accessToken user { username } } }";

/** What the page does. It runs in the browser, with `prepare` of the manual. */
function run(home, request, login) {
  const element = (selector) => document.querySelector(selector);
  const show = (text) => (element("output").textContent = text);
  window.send = async (query, input) => {
    const body = JSON.stringify({ query, variables: { input } });
    const headers = { "content-type": "application/json" };
    const { data, errors } = await (await fetch(`${home}/graphql`, { method: "POST", credentials: "include", headers, body })).json();
    const { code, mfa } = errors?.[0].extensions ?? {};
    return { ...data, code, mfa };
  };
  window.signIn = async (proof, codeVerifier) => {
    const { loginWithEmail, code, mfa } = await send(login, { proof, codeVerifier });
    window.mfa = mfa;
    return loginWithEmail ? `Signed in: ${loginWithEmail.user.username}, ${loginWithEmail.user.hasPassword}` : code;
  };
  const stored = () => JSON.parse(localStorage.getItem("emailSignIn") ?? "null");
  const finish = async (proof) => {
    const said = await signIn(proof, stored().verifier);
    if (said.startsWith("Signed in")) localStorage.removeItem("emailSignIn");
    show(said);
  };
  element("#send").onclick = async () => {
    const email = element("#email").value;
    const { requestEmailSignIn, code } = await send(request, { email, codeChallenge: await prepare(email) });
    show(requestEmailSignIn ? `Look into your mailbox: ${requestEmailSignIn.expiresIn}` : code);
  };
  element("#enter").onclick = () => finish({ emailAndCode: { email: stored().email, code: element("#code").value } });
  const token = new URLSearchParams(location.search).get("token");
  history.replaceState(null, "", location.pathname);
  if (token && stored()) finish({ token });
  else if (token) show("Type the code where you began.");
}

const HTML = `<!doctype html><title>App</title><label>Address <input id="email" type="email"></label><button id="send">Send</button>
<label>Code <input id="code" autocomplete="one-time-code" inputmode="numeric"></label><button id="enter">Sign in</button><output></output><script>
async function prepare(email) { ${prepare.text} return codeChallenge; }
(${run})(${JSON.stringify(home)}, ${JSON.stringify(operation("requestEmailSignIn"))}, ${JSON.stringify(operation("loginWithEmail"))});
</script>`;

/** Sends an operation without a browser. */
async function send(query, input, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables: { input } }) });
  const { data, errors } = await response.json();
  return { ...data, code: errors?.[0].extensions.code };
}

const addressOf = (username) => `${username}@example.org`;
const mailsTo = (username, count) => mails.mailsTo(addressOf(username), count, 15_000);
const tokenIn = (mail) => new URL(linkIn(mail)).searchParams.get("token");

/** Registers a user with a password, and verifies the address. Returns the access token. */
async function register(username, isVerified = true) {
  const { register } = await send(REGISTER, { username, email: addressOf(username), password: PASSWORD, tokenDelivery: "BODY" });
  const [mail] = await mailsTo(username, 1);
  if (isVerified) assert(`${username} is verified`, (await send(VERIFY, { token: tokenIn(mail) })).verifyEmail);
  return register.accessToken;
}

/** A tab in a browser of its own. */
async function device() {
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  return open(context, app);
}

async function open(context, address) {
  const tab = await context.newPage();
  tab.on("pageerror", (error) => fail("an exception in the page", String(error)));
  await tab.goto(address);
  return tab;
}

/** What the page says. */
async function shown(tab, text = "") {
  const output = tab.locator("output:not(:empty)", { hasText: text });
  await output.waitFor();
  return output.textContent();
}

/** Enters an address, and waits for the mail, which is the given one of all to the address. Returns the link and the code in it. */
async function ask(tab, username, count = 2) {
  await tab.getByLabel("Address").fill(addressOf(username));
  await tab.getByRole("button", { name: "Send" }).click();
  await shown(tab, "Look into your mailbox: 600");
  const mail = (await mailsTo(username, count))[count - 1];
  return { link: linkIn(mail), code: mail.text.match(/^\d{8}$/m)[0], subject: mail.subject };
}

/** Types a code. Returns what the page says. */
async function enter(tab, code) {
  await tab.getByLabel("Code").fill(code);
  await tab.evaluate(() => (document.querySelector("output").textContent = ""));
  await tab.getByRole("button", { name: "Sign in" }).click();
  return shown(tab);
}

async function testCode() {
  await register("ann");
  const tab = await device();
  const { code, subject } = await ask(tab, "ann");
  check("a mail with a code and a link arrives", subject === "Sign in", subject);
  const wrong = String((Number(code) + 1) % 10 ** 8).padStart(8, "0");
  check("a wrong code does not sign in", (await enter(tab, wrong)) === "CODE_INVALID");
  const said = await enter(tab, code);
  check("the code signs in, and the password stays", said === "Signed in: ann, true", said);
  const cookies = await tab.context().cookies(app);
  const refresh = cookies.find(({ name }) => name.startsWith("refresh_token"));
  check("the refresh token is in a cookie that scripts cannot read", refresh?.httpOnly && refresh.sameSite === "Strict", cookies);
}

async function testLink() {
  await register("bert");
  const tab = await device();
  const { link, code } = await ask(tab, "bert");
  check("the link leads to the app", link.startsWith(`${app}/sign-in?token=`), link);
  const { verifier } = await tab.evaluate(() => JSON.parse(localStorage.getItem("emailSignIn")));
  const opened = await open(tab.context(), link);
  const said = await shown(opened);
  check("the link in a new tab of the same browser signs in", said === "Signed in: bert, true" && opened.url() === `${app}/sign-in`, said, opened.url());
  const again = await tab.evaluate(([token, verifier]) => signIn({ token }, verifier), [new URL(link).searchParams.get("token"), verifier]);
  check("the link works once", again === "CODE_INVALID", again);
  const proof = { emailAndCode: { email: addressOf("bert"), code } };
  const after = await tab.evaluate(([proof, verifier]) => signIn(proof, verifier), [proof, verifier]);
  check("its code is used up, too", after === "CODE_INVALID", after);
}

async function testAnotherBrowser() {
  await register("carl");
  const tab = await device();
  const { link, code } = await ask(tab, "carl");
  const other = await device();
  await other.goto(link);
  check("the link in another browser does nothing", (await shown(other)) === "Type the code where you began.");
  // An attacker has another verifier.
  const stolen = [{ token: new URL(link).searchParams.get("token") }, { emailAndCode: { email: addressOf("carl"), code } }];
  for (const proof of stolen) {
    const said = await other.evaluate((proof) => signIn(proof, "v".repeat(43)), proof);
    check(`${Object.keys(proof)}: another verifier does not sign in`, said === "CODE_INVALID", said);
  }
  check("the code still signs in where the user began", (await enter(tab, code)) === "Signed in: carl, true");
}

async function testUnknownAddress() {
  const tab = await device();
  await tab.getByLabel("Address").fill(addressOf("unknown"));
  await tab.getByRole("button", { name: "Send" }).click();
  const said = await shown(tab);
  check("an unknown address gets the same response", said === "Look into your mailbox: 600", said);
  check("a code for it does not sign in", (await enter(tab, "12345678")) === "CODE_INVALID");
  // The mail of a later user has arrived, so none to the unknown address can follow.
  await register("dora");
  check("and no mail", mails.mails.every(({ to }) => to !== addressOf("unknown")));
}

async function testUnverified() {
  const token = await register("emil", false);
  const tab = await device();
  const { code } = await ask(tab, "emil");
  const said = await enter(tab, code);
  check("an account that was never verified loses its password", said === "Signed in: emil, false", said);
  const notice = (await mailsTo("emil", 3))[2];
  check("a mail tells the user", notice.subject === "The password of your account was removed", notice.subject);
  const password = await send(LOGIN, { username: "emil", password: PASSWORD });
  const session = await send("{ me { id } }", undefined, token);
  check("the password and the sessions of before do not work", password.code === "INVALID_CREDENTIALS" && session.code === "UNAUTHENTICATED", password, session);
  const choose = (await mailsTo("emil", 4))[3];
  check("and a mail says how to choose one", choose.subject === "Choose a new password", choose.subject);
}

async function testSecondFactor() {
  const token = await register("fay");
  const { secret } = (await send(START_TOTP, undefined, token)).startTotpEnrollment;
  assert("fay has a second factor", (await send(CONFIRM_TOTP, { code: codeOf(secret) }, token)).confirmTotpEnrollment);
  const tab = await device();
  // The second mail says that there is a second factor.
  const { link } = await ask(tab, "fay", 3);
  const opened = await open(tab.context(), link);
  check("a user with a second factor is asked for it", (await shown(opened)) === "MFA_REQUIRED");
  const verified = await opened.evaluate(([query, totpCode]) => send(query, { token: mfa.token, factor: { totpCode } }), [VERIFY_MFA, codeOf(secret, 1)]);
  const { amr, acr } = JSON.parse(Buffer.from(verified.verifyMfa?.accessToken.split(".")[1] ?? "e30", "base64url"));
  check("both sign in", verified.verifyMfa?.user.username === "fay" && amr.join() === "mca,otp,mfa" && acr === "aal2", verified);
}

/** The app has no page for the link: `APP_URL` is that of the server. */
async function testServerPage() {
  await register("gwen");
  const tab = await device();
  const { link, code } = await ask(tab, "gwen");
  const opened = await open(tab.context(), link);
  const text = await opened.locator("main").innerText();
  check("without a page of the app, the link opens one of the server", link.startsWith(`${home}/sign-in?token=`) && text.includes("enter the code there"), link, text);
  check("the code signs in after that", (await enter(tab, code)) === "Signed in: gwen, true");
}

async function testDisabled() {
  const tab = await device();
  await tab.getByLabel("Address").fill(addressOf("ann"));
  await tab.getByRole("button", { name: "Send" }).click();
  check("it is off by default", (await shown(tab)) === "EMAIL_SIGN_IN_DISABLED");
}

/** Runs tests, and closes their browsers. */
async function runAll(...tests) {
  for (const test of tests) {
    try {
      await test();
    } catch (error) {
      fail(test.name, error.message);
      for (const [index, tab] of browser.contexts().flatMap((context) => context.pages()).entries()) {
        await tab.screenshot({ path: join(dirname(binary), `email-${test.name}-${index + 1}.png`) });
      }
    }
    for (const context of browser.contexts()) await context.close();
  }
}

const mails = mailServer({ authOptional: true, disabledCommands: ["STARTTLS"] });
await mails.listen(PORTS.smtp);
const pages = createServer((_, response) => response.setHeader("content-type", "text/html").end(HTML));
await new Promise((resolve) => pages.listen(PORTS.app, "localhost", resolve));
atExit(() => pages.close());
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const settings = { ALLOWED_ORIGINS: app, SMTP_URL: `smtp://127.0.0.1:${PORTS.smtp}`, MAIL_FROM: "Hallpass <accounts@example.org>", BCRYPT_COST: "10" };
let stop = await start(binary, PORTS.hallpass, { ...settings, EMAIL_SIGN_IN: "true", APP_URL: app });
await runAll(testCode, testLink, testAnotherBrowser, testUnknownAddress, testUnverified, testSecondFactor);
const schema = buildSchema(stop.run(["schema"]));
const errors = operations.flatMap((text) => validate(schema, parse(text)).map(({ message }) => message));
check("the operations of the manual are valid", operations.length === 2 && errors.length === 0, ...errors);
const { folder } = stop;
await stop();
stop = await start(binary, PORTS.hallpass, { ...settings, EMAIL_SIGN_IN: "true" }, undefined, folder);
await runAll(testServerPage);
await stop();
stop = await start(binary, PORTS.hallpass, settings, undefined, folder);
await runAll(testDisabled);
await browser.close();
await stop();
mails.close();
finish(32);
