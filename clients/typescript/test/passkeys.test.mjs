import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, mock, test } from "node:test";
import { createHallpass, readErrors } from "../dist/index.js";
import { arePasskeysSupported, createPasskeys } from "../dist/passkeys.js";
import { CredentialManager } from "./authenticator.mjs";
import { PASSWORD, browser, newName, settled, startServer, until } from "./support.mjs";

const PASSKEYS = "{ me { id hasPassword passkeys { id name } } }";

let server;
let manager;
const browsers = [];
before(async () => (server = await startServer()));
after(() => server.stop());
beforeEach(() => {
  manager = new CredentialManager(server.origin);
  manager.install();
});
afterEach(() => browsers.splice(0).forEach((opened) => opened.close()));

/** A page with the client. */
async function openPage() {
  const opened = browser(server.url);
  browsers.push(opened);
  const hallpass = opened.open();
  await settled(hallpass);
  return { hallpass, passkeys: createPasskeys(hallpass), sent: opened };
}

/** A page whose user has a password. */
async function registered() {
  const page = await openPage();
  const username = newName();
  await page.hallpass.register({ username, password: PASSWORD });
  return { ...page, username };
}

/** A page whose user has a password and a passkey, and is signed out. */
async function withPasskey() {
  const page = await registered();
  const added = await page.passkeys.add("Laptop");
  await page.hallpass.logout();
  return { ...page, ...added };
}

async function problemsOf(promise) {
  return readErrors(await promise.then(() => assert.fail("the request succeeded"), (error) => error));
}

/** Waits until `navigator.credentials.get` was called so many times. */
async function requests(count) {
  const deadline = Date.now() + 5_000;
  while (manager.requests.length < count) {
    assert.ok(Date.now() < deadline, `requests: ${manager.requests}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("add returns the passkey and, for the first second factor, recovery codes", async () => {
  const { passkeys, hallpass } = await registered();
  const { passkey, recoveryCodes, user } = await passkeys.add("Laptop");
  assert.equal(passkey.name, "Laptop");
  assert.equal(recoveryCodes.length, 10);
  assert.deepEqual(user.mfaMethods, ["PASSKEY", "RECOVERY_CODE"]);
  const { me } = await hallpass.request(PASSKEYS);
  assert.deepEqual(me.passkeys, [{ id: passkey.id, name: "Laptop" }]);
});

test("add reports the existing passkey of a device", async () => {
  const { passkeys } = await registered();
  await passkeys.add();
  assert.equal((await problemsOf(passkeys.add())).code, "PASSKEY_EXISTS");
});

test("a passkey that the server refuses is forgotten by the password manager", async () => {
  const { passkeys } = await registered();
  assert.equal((await problemsOf(passkeys.add("a".repeat(101)))).code, "TOO_LONG");
  assert.deepEqual(manager.signals, [{ rpId: "localhost", credentialId: manager.passkeys[0].id }]);
});

test("a passkey is kept if the response of the server is lost", async () => {
  const { passkeys, sent } = await registered();
  sent.faults.after = async (response, { operation }) => {
    if (operation === "FinishPasskeyRegistration") throw new TypeError("fetch failed");
    return response;
  };
  assert.equal((await problemsOf(passkeys.add())).code, "NETWORK_ERROR");
  assert.deepEqual(manager.signals, []);
});

test("signIn signs in without a username", async () => {
  const { passkeys, hallpass, username } = await withPasskey();
  assert.equal((await passkeys.signIn()).username, username);
  assert.equal(hallpass.getState().user.username, username);
});

test("closing the dialog is reported and does not sign in", async () => {
  const { passkeys, hallpass } = await withPasskey();
  manager.failure = "NotAllowedError";
  const { code, form } = await problemsOf(passkeys.signIn());
  assert.equal(code, "PASSKEY_CANCELLED");
  assert.match(form, /Try again/);
  assert.equal(hallpass.getState().status, "signedOut");
});

test("a conditional request signs in when the user chooses a passkey", async () => {
  const { passkeys, hallpass, username } = await withPasskey();
  const signedIn = passkeys.signIn({ conditional: true });
  await requests(1);
  assert.equal(hallpass.getState().status, "signedOut");
  manager.choose();
  assert.equal((await signedIn).username, username);
});

test("a conditional request makes way for a dialog, and comes back after it", async () => {
  const { passkeys, username } = await withPasskey();
  const signedIn = passkeys.signIn({ conditional: true });
  await requests(1);
  manager.failure = "NotAllowedError";
  assert.equal((await problemsOf(passkeys.signIn())).code, "PASSKEY_CANCELLED");
  await requests(3);
  assert.deepEqual(manager.requests, ["conditional", "optional", "conditional"]);
  manager.choose();
  assert.equal((await signedIn).username, username);
});

test("a conditional request waits while a dialog is open", async () => {
  const { passkeys, sent, username } = await withPasskey();
  const aborter = new AbortController();
  const conditional = passkeys.signIn({ conditional: true, signal: aborter.signal });
  await requests(1);
  manager.isSlow = true;
  const signedIn = passkeys.signIn();
  await requests(2);
  await sent.fetch(`${server.origin}/health/live`);
  assert.equal(sent.count("StartPasskeyLogin"), 2);
  manager.choose();
  assert.equal((await signedIn).username, username);
  aborter.abort();
  await problemsOf(conditional);
});

test("the signal ends a conditional request without an error to show", async () => {
  const { passkeys } = await withPasskey();
  const aborter = new AbortController();
  const request = passkeys.signIn({ conditional: true, signal: aborter.signal });
  await requests(1);
  aborter.abort();
  assert.equal((await problemsOf(request)).code, null);
});

test("a conditional request is renewed before its ceremony expires", async () => {
  const { passkeys, sent } = await withPasskey();
  mock.timers.enable({ apis: ["setTimeout"] });
  const aborter = new AbortController();
  const request = passkeys.signIn({ conditional: true, signal: aborter.signal });
  await requests(1);
  mock.timers.tick(14 * 60 * 1_000);
  await requests(2);
  mock.timers.reset();
  assert.equal(sent.count("StartPasskeyLogin"), 2);
  aborter.abort();
  await problemsOf(request);
});

test("verifyMfa finishes a sign-in with the password", async () => {
  const { passkeys, hallpass, username } = await withPasskey();
  const { mfa } = await problemsOf(hallpass.login({ username, password: PASSWORD }));
  assert.ok(mfa.methods.includes("PASSKEY"));
  assert.equal((await passkeys.verifyMfa(mfa)).username, username);
  assert.equal(hallpass.getState().status, "signedIn");
});

test("reauthenticate is a proof for sensitive operations", async () => {
  const { passkeys, hallpass, username, passkey } = await withPasskey();
  const { mfa } = await problemsOf(hallpass.login({ username, password: PASSWORD }));
  await passkeys.verifyMfa(mfa, { rememberDevice: true });
  await hallpass.logout();
  await hallpass.login({ username, password: PASSWORD });
  assert.equal((await problemsOf(passkeys.delete(passkey.id))).code, "REAUTHENTICATION_REQUIRED");
  const { accessToken } = hallpass.current();
  await passkeys.reauthenticate();
  assert.notEqual(hallpass.current().accessToken, accessToken);
  assert.deepEqual((await passkeys.delete(passkey.id)).passkeys, []);
});

test("rename changes the name", async () => {
  const { passkeys, passkey } = await withPasskey();
  await passkeys.signIn();
  assert.equal((await passkeys.rename(passkey.id, "Phone")).name, "Phone");
});

test("delete tells the password manager which passkeys are left", async () => {
  const { passkeys, passkey } = await withPasskey();
  await passkeys.signIn();
  manager.signals = [];
  await passkeys.delete(passkey.id);
  assert.deepEqual(manager.signals, [{ rpId: "localhost", userId: manager.passkeys[0].userHandle, allAcceptedCredentialIds: [] }]);
});

test("register creates an account without a password, and signs in", async () => {
  const { passkeys, hallpass } = await openPage();
  const username = newName();
  const { user, passkey, recoveryCodes } = await passkeys.register({ username, passkeyName: "Phone" });
  assert.equal(user.username, username);
  assert.equal(passkey.name, "Phone");
  assert.equal(recoveryCodes.length, 10);
  assert.equal(hallpass.getState().user.username, username);
  const { me } = await hallpass.request(PASSKEYS);
  assert.equal(me.hasPassword, false);
  assert.equal((await problemsOf(passkeys.delete(passkey.id))).code, "LAST_SIGN_IN_METHOD");
});

test("register does not sign in if the address must be verified first", async () => {
  const strict = await startServer({ REQUIRE_EMAIL: "true", REQUIRE_VERIFIED_EMAIL: "true" });
  const own = new CredentialManager(strict.origin);
  own.install();
  const hallpass = createHallpass({ url: strict.url, tokenDelivery: "BODY" });
  const username = newName();
  const { accessToken, user } = await createPasskeys(hallpass).register({ username, email: `${username}@example.org` });
  assert.equal(accessToken, null);
  assert.equal(user.username, username);
  assert.equal(hallpass.current(), null);
  await strict.stop();
});

test("register reports problems at the fields, before a passkey is created", async () => {
  const { passkeys } = await openPage();
  const { fields } = await problemsOf(passkeys.register({ username: "not a name" }));
  assert.equal(fields.username.code, "INVALID_USERNAME");
  assert.deepEqual(manager.passkeys, []);
});

test("an app keeps the refresh token of a sign-in with a passkey", async () => {
  const { username } = await withPasskey();
  let stored = null;
  const storage = { get: () => stored, set: (token) => void (stored = token), delete: () => void (stored = null) };
  const app = createHallpass({ url: server.url, tokenDelivery: "BODY", storage });
  await createPasskeys(app).signIn();
  assert.ok(stored);
  const restarted = createHallpass({ url: server.url, tokenDelivery: "BODY", storage });
  await restarted.refresh();
  await until(restarted, ({ user }) => user?.username === username);
});

test("a browser without passkeys is reported before a request", async () => {
  const { passkeys, sent } = await openPage();
  delete globalThis.PublicKeyCredential;
  assert.equal(arePasskeysSupported(), false);
  for (const request of [passkeys.signIn(), passkeys.signIn({ conditional: true })]) {
    assert.equal((await problemsOf(request)).code, "PASSKEY_UNAVAILABLE");
  }
  assert.equal(sent.count("StartPasskeyLogin"), 0);
});

test("a browser without conditional UI can still show a dialog", async () => {
  const { passkeys, username } = await withPasskey();
  PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  assert.equal((await problemsOf(passkeys.signIn({ conditional: true }))).code, "PASSKEY_UNAVAILABLE");
  assert.equal((await passkeys.signIn()).username, username);
});
