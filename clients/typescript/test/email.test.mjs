import assert from "node:assert/strict";
import { after, afterEach, before, mock, test } from "node:test";
import { codeOf } from "../../../tests/e2e/clients/totp.mjs";
import { createEmailSignIn } from "../dist/email.js";
import { createHallpass, readErrors } from "../dist/index.js";
import { NETWORK_FAILURE, PASSWORD, browser, newName, settled, startServer } from "./support.mjs";
import { MemoryStorage, Tab } from "./tab.mjs";

const APP = "http://localhost:5173";

let server;
const browsers = [];
before(async () => (server = await startServer({ EMAIL_SIGN_IN: "true", APP_URL: APP, LIMIT_MAILS_TO_ADDRESS_PER_HOUR: "1000" })));
after(() => server.stop());
afterEach(() => {
  mock.timers.reset();
  browsers.splice(0).forEach((opened) => opened.close());
});

/** A browser whose tabs share cookies and `localStorage`. */
function openBrowser() {
  const opened = browser(server.url);
  const localStorage = new MemoryStorage();
  browsers.push(opened);
  const openTab = (address = `${APP}/`) => {
    const tab = new Tab(opened.fetch, localStorage).show(address);
    const hallpass = opened.open();
    return { hallpass, emailSignIn: createEmailSignIn(hallpass), focus: () => tab.show(tab.address) };
  };
  return { ...opened, localStorage, openTab };
}

/** The address of a new user. */
async function newUser() {
  const username = newName();
  const email = `${username}@example.org`;
  const app = createHallpass({ url: server.url, tokenDelivery: "BODY" });
  await app.register({ username, email, password: PASSWORD });
  return { username, email, app };
}

/** The code and the link of the latest mail to an address that is not in `known`. */
async function mailTo(email, known = []) {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const page = await (await fetch(server.origin + server.stop.mails)).text();
    for (const mail of page.replaceAll("&#x2f;", "/").split("<article")) {
      const link = mail.includes(`To ${email},`) && mail.match(new RegExp(`href="(${APP}/sign-in\\?token=[^"]+)"`))?.[1];
      const code = link && mail.match(/\b(\d{4}) ?(\d{4})\b/)?.slice(1).join("");
      if (code && !known.includes(link)) return { code, link };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no mail to ${email}`);
}

/** A browser whose user has asked for a mail. */
async function requested() {
  const user = await newUser();
  const chrome = openBrowser();
  const tab = chrome.openTab();
  await settled(tab.hallpass);
  const { expiresIn } = await tab.emailSignIn.request(user.email);
  assert.equal(expiresIn, 600);
  return { ...user, chrome, tab, mail: await mailTo(user.email) };
}

async function problemsOf(promise) {
  return readErrors(await promise.then(() => assert.fail("the request succeeded"), (error) => error));
}

test("the code of the mail signs in", async () => {
  const { tab, email, username, mail } = await requested();
  assert.equal((await tab.emailSignIn.signInWithCode(email, mail.code)).username, username);
  assert.equal(tab.hallpass.getState().user.username, username);
});

test("the link of the mail signs in, in another tab of the browser", async () => {
  const { chrome, mail, username } = await requested();
  const { emailSignIn, hallpass } = chrome.openTab(mail.link);
  assert.equal(emailSignIn.hasResult, true);
  assert.equal((await emailSignIn.finish()).username, username);
  assert.equal(hallpass.getState().user.username, username);
  assert.equal(location.href, `${APP}/sign-in`);
});

test("two calls of finish at once send the token once, and have the same result", async () => {
  const { chrome, mail } = await requested();
  const { emailSignIn } = chrome.openTab(mail.link);
  const [first, second] = await Promise.all([emailSignIn.finish(), emailSignIn.finish()]);
  assert.equal(first, second);
  assert.equal(chrome.count("LoginWithEmail"), 1);
});

test("finish returns null if the address has no token", async () => {
  const { emailSignIn } = openBrowser().openTab(`${APP}/sign-in`);
  assert.equal(emailSignIn.hasResult, false);
  assert.equal(await emailSignIn.finish(), null);
});

test("a link that was opened in another browser is reported, and its token is not sent", async () => {
  const { mail, tab, email, username } = await requested();
  const other = openBrowser();
  const opened = other.openTab(mail.link);
  await settled(opened.hallpass);
  const { code, form } = await problemsOf(opened.emailSignIn.finish());
  assert.equal(code, "STARTED_ELSEWHERE");
  assert.match(form, /Enter the code/);
  assert.equal(other.count("LoginWithEmail"), 0);
  assert.equal(location.href, `${APP}/sign-in`);
  tab.focus();
  assert.equal((await tab.emailSignIn.signInWithCode(email, mail.code)).username, username);
});

test("a code in a browser that asked for no mail is reported without a request", async () => {
  const { mail, email } = await requested();
  const other = openBrowser();
  assert.equal((await problemsOf(other.openTab().emailSignIn.signInWithCode(email, mail.code))).code, "STARTED_ELSEWHERE");
  assert.equal(other.count("LoginWithEmail"), 0);
});

test("a wrong code can be corrected", async () => {
  const { tab, email, username, mail } = await requested();
  const wrong = String((Number(mail.code) + 1) % 1e8).padStart(8, "0");
  assert.equal((await problemsOf(tab.emailSignIn.signInWithCode(email, wrong))).code, "CODE_INVALID");
  assert.equal((await tab.emailSignIn.signInWithCode(email, mail.code)).username, username);
});

test("after another mail, the earlier one still works", async () => {
  const { tab, chrome, email, username, mail } = await requested();
  await tab.emailSignIn.request(email);
  await mailTo(email, [mail.link]);
  assert.equal((await chrome.openTab(mail.link).emailSignIn.finish()).username, username);
});

test("the pending address survives a reload, until the sign-in", async () => {
  const { chrome, email, mail } = await requested();
  const { emailSignIn } = chrome.openTab();
  assert.equal(emailSignIn.pendingEmail, email);
  await emailSignIn.signInWithCode(email, mail.code);
  assert.equal(emailSignIn.pendingEmail, null);
  assert.deepEqual(chrome.localStorage.keys, []);
});

test("cancel forgets the pending address", async () => {
  const { tab, chrome } = await requested();
  tab.emailSignIn.cancel();
  assert.equal(tab.emailSignIn.pendingEmail, null);
  assert.deepEqual(chrome.localStorage.keys, []);
});

test("an address whose mail has expired is not pending", async () => {
  const { tab } = await requested();
  mock.timers.enable({ apis: ["Date"], now: Date.now() + 600_000 });
  assert.equal(tab.emailSignIn.pendingEmail, null);
});

test("an address that the server refuses is not pending", async () => {
  const { emailSignIn } = openBrowser().openTab();
  const { fields } = await problemsOf(emailSignIn.request("ada"));
  assert.equal(fields.email.code, "INVALID_EMAIL");
  assert.equal(emailSignIn.pendingEmail, null);
});

test("a mail whose response was lost can be used", async () => {
  const { email, username } = await newUser();
  const chrome = openBrowser();
  const { emailSignIn, hallpass } = chrome.openTab();
  await settled(hallpass);
  chrome.faults.after = NETWORK_FAILURE;
  assert.equal((await problemsOf(emailSignIn.request(email))).code, "NETWORK_ERROR");
  chrome.faults.after = async (response) => response;
  const mail = await mailTo(email);
  assert.equal((await chrome.openTab(mail.link).emailSignIn.finish()).username, username);
});

test("a user with a second factor gets the challenge, and the mail is used up", async () => {
  const { app, email, username } = await newUser();
  const chrome = openBrowser();
  const { emailSignIn, hallpass } = chrome.openTab();
  await settled(hallpass);
  // A sign-in by mail to an address that was never verified removes the second factor.
  await emailSignIn.request(email);
  const first = await mailTo(email);
  await emailSignIn.signInWithCode(email, first.code);
  const { startTotpEnrollment } = await hallpass.request("mutation { startTotpEnrollment { secret } }");
  const confirm = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }";
  const { confirmTotpEnrollment } = await hallpass.request(confirm, { input: { code: codeOf(startTotpEnrollment.secret) } });
  await hallpass.logout();
  await emailSignIn.request(email);
  const { code, mfa } = await problemsOf(emailSignIn.signInWithCode(email, (await mailTo(email, [first.link])).code));
  assert.equal(code, "MFA_REQUIRED");
  assert.equal(emailSignIn.pendingEmail, null);
  await hallpass.verifyMfa({ token: mfa.token, factor: { recoveryCode: confirmTotpEnrollment.recoveryCodes[0] } });
  assert.equal(hallpass.getState().user.username, username);
  app.stop();
});

test("an app keeps the refresh token of a sign-in by mail", async () => {
  const { email } = await newUser();
  openBrowser().openTab();
  let stored = null;
  const storage = { get: () => stored, set: (token) => void (stored = token), delete: () => void (stored = null) };
  const emailSignIn = createEmailSignIn(createHallpass({ url: server.url, tokenDelivery: "BODY", storage }));
  await emailSignIn.request(email);
  await emailSignIn.signInWithCode(email, (await mailTo(email)).code);
  assert.ok(stored);
});

test("a browser that blocks storage is reported before a mail is sent", async () => {
  const chrome = openBrowser();
  const { emailSignIn } = chrome.openTab();
  chrome.localStorage.isBlocked = true;
  assert.equal((await problemsOf(emailSignIn.request("ada@example.org"))).code, "SIGN_IN_UNAVAILABLE");
  assert.equal(chrome.count("RequestEmailSignIn"), 0);
});
