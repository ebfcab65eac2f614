import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { codeOf } from "../../../tests/e2e/clients/totp.mjs";
import { createHallpass, readErrors } from "../dist/index.js";
import { PASSWORD, browser, newName, settled, startServer } from "./support.mjs";

const START = "mutation { startTotpEnrollment { secret } }";
const CONFIRM = "mutation Confirm($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }";

let server;
const browsers = [];
const openBrowser = () => {
  const opened = browser(server.url);
  browsers.push(opened);
  return opened;
};
before(async () => (server = await startServer()));
after(() => server.stop());
afterEach(() => browsers.splice(0).forEach((opened) => opened.close()));

/** A user with an authenticator app. Returns the name and the recovery codes. */
async function enrolled() {
  const app = createHallpass({ url: server.url, tokenDelivery: "BODY" });
  const username = newName();
  await app.register({ username, password: PASSWORD });
  const { startTotpEnrollment } = await app.request(START);
  const { confirmTotpEnrollment } = await app.request(CONFIRM, { input: { code: codeOf(startTotpEnrollment.secret) } });
  return { username, recoveryCodes: confirmTotpEnrollment.recoveryCodes };
}

async function problemsOf(promise) {
  return readErrors(await promise.then(() => assert.fail("the request succeeded"), (error) => error));
}

/** A tab in which the password of a new user with an authenticator app was entered. */
async function challenged() {
  const { username, recoveryCodes } = await enrolled();
  const chrome = openBrowser();
  const tab = chrome.open();
  await settled(tab);
  const { code, form, mfa } = await problemsOf(tab.login({ username, password: PASSWORD }));
  assert.equal(code, "MFA_REQUIRED");
  return { chrome, tab, form, mfa, username, recoveryCodes };
}

test("login of a user with a second factor fails with a challenge, and opens no session", async () => {
  const { tab, form, mfa } = await challenged();
  assert.deepEqual(mfa.methods, ["TOTP", "RECOVERY_CODE"]);
  assert.equal(mfa.expiresIn, 300);
  assert.match(form, /code/);
  assert.equal(tab.getState().status, "signedOut");
});

test("other errors have no challenge", async () => {
  const tab = openBrowser().open();
  assert.equal((await problemsOf(tab.login({ username: "unknown-user", password: "wrong password" }))).mfa, null);
});

test("verifyMfa signs in, also in other tabs and after a reload", async () => {
  const { chrome, tab, mfa, username, recoveryCodes } = await challenged();
  const user = await tab.verifyMfa({ token: mfa.token, factor: { recoveryCode: recoveryCodes[0] } });
  assert.equal(user.username, username);
  assert.equal(tab.getState().user.username, username);
  assert.equal((await settled(chrome.open())).user.username, username);
});

test("a wrong code leaves the challenge open", async () => {
  const { tab, mfa, recoveryCodes } = await challenged();
  const wrong = await problemsOf(tab.verifyMfa({ token: mfa.token, factor: { totpCode: "000000" } }));
  assert.equal(wrong.code, "MFA_CODE_INVALID");
  assert.equal(tab.getState().status, "signedOut");
  await tab.verifyMfa({ token: mfa.token, factor: { recoveryCode: recoveryCodes[0] } });
});

test("another browser cannot finish the sign-in", async () => {
  const { mfa, recoveryCodes } = await challenged();
  const other = openBrowser().open();
  const { code } = await problemsOf(other.verifyMfa({ token: mfa.token, factor: { recoveryCode: recoveryCodes[0] } }));
  assert.equal(code, "MFA_CHALLENGE_EXPIRED");
});

test("a remembered browser needs only the password", async () => {
  const { tab, mfa, username, recoveryCodes } = await challenged();
  await tab.verifyMfa({ token: mfa.token, factor: { recoveryCode: recoveryCodes[0] }, rememberDevice: true });
  await tab.logout();
  assert.equal((await tab.login({ username, password: PASSWORD })).username, username);
});

test("an app stores the refresh token of the second step", async () => {
  const { username, recoveryCodes } = await enrolled();
  let stored = null;
  const storage = { get: () => stored, set: (token) => void (stored = token), delete: () => void (stored = null) };
  const app = createHallpass({ url: server.url, tokenDelivery: "BODY", storage });
  const { mfa } = await problemsOf(app.login({ username, password: PASSWORD }));
  await app.verifyMfa({ token: mfa.token, factor: { recoveryCode: recoveryCodes[0] } });
  assert.ok(stored);
  const restarted = createHallpass({ url: server.url, tokenDelivery: "BODY", storage });
  await restarted.refresh();
  assert.equal(restarted.getState().user.username, username);
});

test("a user who must set up a second factor first can sign in", async () => {
  const strict = await startServer({ MFA_REQUIRED_ROLES: "user" });
  const app = createHallpass({ url: strict.url, tokenDelivery: "BODY" });
  const username = newName();
  await app.register({ username, password: PASSWORD });
  await app.login({ username, password: PASSWORD });
  assert.equal(app.getState().user.username, username);
  assert.equal((await problemsOf(app.request("{ me { email } }"))).code, "MFA_ENROLLMENT_REQUIRED");
  await app.request(START);
  await strict.stop();
});
