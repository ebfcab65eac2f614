import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { startProvider } from "../../../tests/e2e/clients/small_provider.mjs";
import { codeOf } from "../../../tests/e2e/clients/totp.mjs";
import { createHallpass, readErrors } from "../dist/index.js";
import { createProviders } from "../dist/providers.js";
import { PASSWORD, browser, newName, settled, startServer } from "./support.mjs";
import { Tab } from "./tab.mjs";

const APP = "http://localhost:5173";
const PROVIDERS = "{ serverInfo { identityProviders { id name startUrl } } }";

let server;
let provider;
let acme;
const browsers = [];
before(async () => {
  provider = await startProvider();
  server = await startServer(provider.settings);
  const { serverInfo } = await createHallpass({ url: server.url }).request(PROVIDERS, {}, { isPublic: true });
  [acme] = serverInfo.identityProviders;
});
after(async () => {
  await server.stop();
  provider.stop();
});
afterEach(() => browsers.splice(0).forEach((opened) => opened.close()));

/** A tab of a browser. Each page in it has its own client. */
class Page extends Tab {
  static open(address = `${APP}/`, opened = browser(server.url)) {
    browsers.push(opened);
    const page = new Page(opened.fetch);
    page.browser = opened;
    return page.load(address);
  }

  /** Loads a page of the app. */
  load(address) {
    this.show(address);
    this.hallpass = this.browser.open();
    this.providers = createProviders(this.hallpass);
    return this;
  }

  /** Starts a sign-in, and loads the page that the provider returns to. */
  async signIn(choice, user, options) {
    await this.providers.signIn(acme, options);
    return this.load(await this.follow(choice, user));
  }
}

async function problemsOf(promise) {
  return readErrors(await promise.then(() => assert.fail("the request succeeded"), (error) => error));
}

/** A page whose new user has a password, and has linked an account at the provider. */
async function linked() {
  const page = Page.open(`${APP}/security`);
  await settled(page.hallpass);
  const username = newName();
  await page.hallpass.register({ username, password: PASSWORD });
  await page.providers.link(acme);
  page.load(await page.follow("/approve", username));
  const finished = await page.providers.finish();
  return { page, username, finished };
}

test("a sign-in returns to the page where it began, and signs in", async () => {
  const page = await Page.open(`${APP}/orders?page=2#top`).signIn("/approve", "grace");
  const { type, user } = await page.providers.finish();
  assert.equal(type, "signIn");
  assert.equal(user.username, "grace");
  assert.equal(page.hallpass.getState().user.username, "grace");
  assert.equal(page.address.href, `${APP}/orders?page=2#top`);
});

test("a sign-in returns to another page on request", async () => {
  const page = await Page.open().signIn("/approve", "grace", { returnTo: "/welcome?from=acme" });
  await page.providers.finish();
  assert.equal(page.address.href, `${APP}/welcome?from=acme`);
});

test("the code leaves the address before it is sent, and the state of the history stays", async () => {
  const page = await Page.open().signIn();
  let seen;
  history.replaceState = (state, _, url) => {
    seen = { state, sent: page.browser.count("LoginWithCode") };
    page.address = new URL(url);
  };
  await page.providers.finish();
  assert.deepEqual(seen, { state: { page: 1 }, sent: 0 });
});

test("two calls of finish at once send the code once, and have the same result", async () => {
  const page = await Page.open().signIn();
  const [first, second] = await Promise.all([page.providers.finish(), page.providers.finish()]);
  assert.equal(first, second);
  assert.equal(page.browser.count("LoginWithCode"), 1);
});

test("finish returns null if no flow has returned, or its result was used", async () => {
  const page = Page.open();
  assert.equal(page.providers.hasResult, false);
  assert.equal(await page.providers.finish(), null);
  await page.signIn();
  assert.equal(page.providers.hasResult, true);
  await page.providers.finish();
  assert.equal(page.providers.hasResult, false);
  assert.equal(await page.providers.finish(), null);
});

test("the code of another flow of the app stays in the address", async () => {
  const page = Page.open(`${APP}/?code=other&error=other`);
  assert.equal(await page.providers.finish(), null);
  assert.equal(page.address.href, `${APP}/?code=other&error=other`);
});

test("two tabs sign in at once", async () => {
  const first = Page.open();
  await first.providers.signIn(acme);
  const second = Page.open(`${APP}/`, first.browser);
  await second.providers.signIn(acme);
  for (const page of [first, second]) {
    page.load(await page.follow());
    assert.equal((await page.providers.finish()).user.username, "ada");
  }
});

test("two flows of one tab do not share a verifier", async () => {
  const page = Page.open();
  await page.providers.signIn(acme);
  const earlier = page.opened;
  await page.providers.signIn(acme);
  page.opened = earlier;
  page.load(await page.follow());
  assert.equal((await page.providers.finish()).type, "signIn");
});

test("the verifier is deleted with its flow", async () => {
  const page = await Page.open().signIn();
  assert.equal(page.sessionStorage.keys.length, 1);
  await page.providers.finish();
  assert.deepEqual(page.sessionStorage.keys, []);
});

test("a cancelled sign-in is reported with its code, and leaves nothing behind", async () => {
  const page = await Page.open().signIn("/cancel");
  const { code, form } = await problemsOf(page.providers.finish());
  assert.equal(code, "PROVIDER_REFUSED");
  assert.match(form, /cancelled/);
  assert.equal(page.address.href, `${APP}/`);
  assert.deepEqual(page.sessionStorage.keys, []);
});

test("a provider that the server does not have is reported after the return", async () => {
  const page = Page.open();
  await page.providers.signIn({ startUrl: acme.startUrl.replace("acme", "other") });
  page.load(await page.follow());
  assert.equal((await problemsOf(page.providers.finish())).code, "PROVIDER_UNKNOWN");
});

test("a return to another tab is refused without a request", async () => {
  const page = Page.open();
  await page.providers.signIn(acme);
  const other = Page.open(await page.follow(), page.browser);
  assert.equal((await problemsOf(other.providers.finish())).code, "STARTED_ELSEWHERE");
  assert.equal(page.browser.count("LoginWithCode"), 0);
  assert.equal(other.address.href, `${APP}/`);
});

test("a user with a second factor gets the challenge, as with login", async () => {
  const { page, username } = await linked();
  const { startTotpEnrollment } = await page.hallpass.request("mutation { startTotpEnrollment { secret } }");
  const confirm = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }";
  const { confirmTotpEnrollment } = await page.hallpass.request(confirm, { input: { code: codeOf(startTotpEnrollment.secret) } });
  await page.hallpass.logout();
  await page.signIn("/approve", username);
  const { code, mfa } = await problemsOf(page.providers.finish());
  assert.equal(code, "MFA_REQUIRED");
  await page.hallpass.verifyMfa({ token: mfa.token, factor: { recoveryCode: confirmTotpEnrollment.recoveryCodes[0] } });
  assert.equal(page.hallpass.getState().user.username, username);
});

test("a sign-in waits for the refresh of the page, which would replace its cookie", async () => {
  const { page } = await linked();
  let release;
  const isReleased = new Promise((resolve) => (release = resolve));
  page.browser.faults.after = async (response, { operation }) => {
    if (operation === "RefreshToken") await isReleased;
    return response;
  };
  await page.signIn("/approve", "grace");
  const finished = page.providers.finish();
  await page.browser.fetch(`${server.origin}/health/live`);
  assert.equal(page.browser.count("LoginWithCode"), 0);
  release();
  assert.equal((await finished).user.username, "grace");
});

test("link adds an identity to the signed-in user", async () => {
  const { page, username, finished } = await linked();
  assert.equal(finished.type, "link");
  assert.equal(finished.identity.provider.name, "Acme ID");
  assert.equal(finished.identity.email, `${username}@example.org`);
  assert.deepEqual(finished.user.identities, [finished.identity]);
  assert.equal(page.address.href, `${APP}/security`);
  await page.hallpass.logout();
  await page.signIn("/approve", username);
  assert.equal((await page.providers.finish()).user.username, username);
});

test("link of an account that another user has linked is refused", async () => {
  const { username } = await linked();
  const page = Page.open();
  await settled(page.hallpass);
  await page.hallpass.register({ username: newName(), password: PASSWORD });
  await page.providers.link(acme);
  page.load(await page.follow("/approve", username));
  assert.equal((await problemsOf(page.providers.finish())).code, "IDENTITY_TAKEN");
});

test("link that the server refuses opens no page, and leaves nothing behind", async () => {
  const page = Page.open();
  await settled(page.hallpass);
  assert.equal((await problemsOf(page.providers.link(acme))).code, "UNAUTHENTICATED");
  assert.equal(page.opened, null);
  assert.deepEqual(page.sessionStorage.keys, []);
});

test("unlink removes an identity, but not the only way to sign in", async () => {
  const { page, finished } = await linked();
  assert.deepEqual((await page.providers.unlink(finished.identity.id)).identities, []);
  const stranger = await Page.open().signIn("/approve", newName());
  const { user } = await stranger.providers.finish();
  assert.ok(user.id);
  const { me } = await stranger.hallpass.request("{ me { identities { id } } }");
  assert.equal((await problemsOf(stranger.providers.unlink(me.identities[0].id))).code, "LAST_SIGN_IN_METHOD");
});

test("an app keeps the refresh token of a sign-in with a provider", async () => {
  const page = Page.open();
  let stored = null;
  const storage = { get: () => stored, set: (token) => void (stored = token), delete: () => void (stored = null) };
  const providers = createProviders(createHallpass({ url: server.url, tokenDelivery: "BODY", storage }));
  await providers.signIn(acme);
  page.show(await page.follow());
  await providers.finish();
  assert.ok(stored);
});

test("a browser that blocks storage is reported before the page is left", async () => {
  const page = Page.open();
  page.sessionStorage.isBlocked = true;
  assert.equal((await problemsOf(page.providers.signIn(acme))).code, "SIGN_IN_UNAVAILABLE");
  assert.equal(page.opened, null);
});
