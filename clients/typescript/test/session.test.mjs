import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { createHallpass, HallpassError } from "../dist/index.js";
import { NETWORK_FAILURE, PASSWORD, browser, newName, rejectTokens, settled, startServer, until } from "./support.mjs";

const ME = "query Me { me { id username } }";

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

/** A browser with one tab, in which a new user is signed in. */
async function signedIn() {
  const chrome = openBrowser();
  const tab = chrome.open();
  await settled(tab);
  const username = newName();
  await tab.register({ username, password: PASSWORD });
  return { chrome, tab, username };
}

test("a visitor without a session is signed out without a reason", async () => {
  const tab = openBrowser().open();
  assert.deepEqual(await settled(tab), { status: "signedOut", user: null, reason: null, isOffline: false });
});

test("register signs in", async () => {
  const { tab, username } = await signedIn();
  const state = tab.getState();
  assert.equal(state.status, "signedIn");
  assert.equal(state.user.username, username);
  assert.deepEqual(state.user.roles, ["user"]);
});

test("a failed login throws the server's code and leaves the visitor signed out", async () => {
  const tab = openBrowser().open();
  await settled(tab);
  await assert.rejects(tab.login({ username: "nobody-at-all", password: "wrong password" }), (error) => {
    assert.ok(error instanceof HallpassError);
    assert.equal(error.code, "INVALID_CREDENTIALS");
    return true;
  });
  assert.equal(tab.getState().status, "signedOut");
});

test("a reload keeps the user signed in by the cookie", async () => {
  const { chrome, username } = await signedIn();
  const reloaded = chrome.open();
  assert.equal((await settled(reloaded)).user.username, username);
});

test("the access token is in no property that can be read", async () => {
  const { tab } = await signedIn();
  assert.ok(!JSON.stringify(tab).includes(tab.current().accessToken));
  assert.ok(!JSON.stringify(tab.getState()).includes(tab.current().accessToken));
});

test("ten parallel requests with a rejected token cause one refresh and all succeed", async () => {
  const { chrome, tab, username } = await signedIn();
  rejectTokens(chrome, 10);
  const before = chrome.count("RefreshToken");
  const results = await Promise.all(Array.from({ length: 10 }, () => tab.request(ME)));
  assert.deepEqual(new Set(results.map(({ me }) => me.username)), new Set([username]));
  assert.equal(chrome.count("RefreshToken") - before, 1);
});

test("a request is repeated only once", async () => {
  const { chrome, tab } = await signedIn();
  rejectTokens(chrome, Infinity);
  await assert.rejects(tab.request(ME), { code: "UNAUTHENTICATED" });
  assert.equal(chrome.count("Me"), 2);
});

test("an expired access token is refreshed before the request is sent", async (t) => {
  const { chrome, tab } = await signedIn();
  const clock = performance.now();
  t.mock.method(performance, "now", () => clock + 31 * 60 * 1000);
  const before = chrome.count("RefreshToken");
  await tab.request(ME);
  assert.equal(chrome.count("RefreshToken") - before, 1);
  assert.equal(chrome.count("Me"), 1);
});

test("changing the time of the device does not matter", async (t) => {
  const { chrome, tab } = await signedIn();
  const before = chrome.count("RefreshToken");
  t.mock.method(Date, "now", () => 0);
  await tab.request(ME);
  t.mock.method(Date, "now", () => 1e14);
  await tab.request(ME);
  assert.equal(chrome.count("RefreshToken"), before);
});

test("an offline device is not signed out", async () => {
  const { chrome, tab } = await signedIn();
  const user = tab.getState().user;
  chrome.faults.before = NETWORK_FAILURE;
  await tab.refresh();
  assert.deepEqual(tab.getState(), { status: "signedIn", user, reason: null, isOffline: true });
});

test("a page that loads offline signs in when the server can be reached again", async (t) => {
  const { chrome, username } = await signedIn();
  t.mock.method(console, "warn", () => {});
  chrome.faults.before = NETWORK_FAILURE;
  const tab = chrome.open();
  await until(tab, ({ isOffline }) => isOffline);
  assert.equal(tab.getState().status, "loading");
  await assert.rejects(tab.request(ME), { code: "NETWORK_ERROR" });
  chrome.faults.before = async () => {};
  assert.equal((await settled(tab)).user.username, username);
  assert.equal(tab.getState().isOffline, false);
});

test("an outage of the server is not a sign-out", async () => {
  const { chrome, tab } = await signedIn();
  chrome.faults.after = async () => new Response("<h1>502 Bad Gateway</h1>", { status: 502 });
  await tab.refresh();
  assert.equal(tab.getState().status, "signedIn");
  assert.equal(tab.getState().isOffline, true);
});

test("a refresh that fails with an unknown code is not a sign-out", async () => {
  const { chrome, tab } = await signedIn();
  chrome.faults.after = async () => Response.json({ errors: [{ message: "Later.", extensions: { code: "CODE_OF_A_NEWER_SERVER" } }] });
  await tab.refresh();
  assert.equal(tab.getState().status, "signedIn");
  assert.equal(tab.getState().isOffline, true);
});

for (const code of ["SESSION_NOT_FOUND", "SESSION_EXPIRED", "SESSION_REVOKED", "ACCOUNT_DISABLED", "EMAIL_NOT_VERIFIED"]) {
  test(`a refresh that fails with ${code} is a sign-out`, async () => {
    const { chrome, tab } = await signedIn();
    chrome.faults.after = async () => Response.json({ errors: [{ message: "Over.", extensions: { code } }] });
    await tab.refresh();
    assert.equal(tab.getState().reason, code);
  });
}

test("a refresh whose response was lost can be repeated", async () => {
  const { chrome, tab, username } = await signedIn();
  const cookie = new Map(chrome.cookies);
  chrome.faults.after = async (response, { operation }) => {
    if (operation !== "RefreshToken") return response;
    for (const [name, value] of cookie) chrome.cookies.set(name, value);
    throw new TypeError("the response was lost");
  };
  await tab.refresh();
  assert.equal(tab.getState().isOffline, true);
  chrome.faults.after = async (response) => response;
  await tab.refresh();
  assert.equal(tab.getState().isOffline, false);
  assert.equal((await tab.request(ME)).me.username, username);
});

test("a session that was ended elsewhere signs out without a refresh", async () => {
  const { chrome, tab, username } = await signedIn();
  const phone = openBrowser().open({ tokenDelivery: "BODY" });
  await settled(phone);
  await phone.login({ username, password: PASSWORD });
  await phone.logout({ everywhere: true });
  const before = chrome.count("RefreshToken");
  await assert.rejects(tab.request(ME), { code: "UNAUTHENTICATED" });
  assert.equal(tab.getState().status, "signedOut");
  assert.equal(tab.getState().reason, "SESSION_REVOKED");
  assert.equal(chrome.count("RefreshToken"), before);
});

test("a refresh of a session that was ended tells why", async () => {
  const { tab, username } = await signedIn();
  const phone = openBrowser().open({ tokenDelivery: "BODY" });
  await settled(phone);
  await phone.login({ username, password: PASSWORD });
  await phone.logout({ everywhere: true });
  await tab.refresh();
  assert.equal(tab.getState().reason, "SESSION_REVOKED");
});

test("logout ends the session and clears the cookie", async () => {
  const { chrome, tab } = await signedIn();
  const { accessToken } = tab.current();
  await tab.logout();
  assert.deepEqual(tab.getState(), { status: "signedOut", user: null, reason: "SIGNED_OUT", isOffline: false });
  assert.equal(chrome.cookies.size, 0);
  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({ query: ME }),
  });
  assert.equal((await response.json()).errors[0].extensions.reason, "SESSION_REVOKED");
});

test("logout everywhere works with an expired access token", async () => {
  const { chrome, tab } = await signedIn();
  rejectTokens(chrome, 1);
  await tab.logout({ everywhere: true });
  assert.equal(tab.getState().status, "signedOut");
});

test("a logout that the server did not receive leaves the user signed in", async () => {
  const { chrome, tab } = await signedIn();
  chrome.faults.before = NETWORK_FAILURE;
  await assert.rejects(tab.logout(), { code: "NETWORK_ERROR" });
  assert.equal(tab.getState().status, "signedIn");
});

test("a refresh that is answered after a logout does not sign in again", async () => {
  const { chrome, tab } = await signedIn();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  chrome.faults.after = async (response, { operation }) => {
    if (operation === "RefreshToken") await held;
    return response;
  };
  const refreshed = tab.refresh();
  await tab.forget();
  release();
  await refreshed;
  assert.equal(tab.getState().status, "signedOut");
  assert.equal(tab.current(), null);
});

test("signing in in one tab signs in the others", async () => {
  const chrome = openBrowser();
  const [one, two] = [chrome.open(), chrome.open()];
  await Promise.all([settled(one), settled(two)]);
  const username = newName();
  await one.register({ username, password: PASSWORD });
  const state = await until(two, ({ status }) => status === "signedIn");
  assert.equal(state.user.username, username);
  assert.equal((await two.request(ME)).me.username, username);
});

test("logging out in one tab signs out the others", async () => {
  const { chrome, tab } = await signedIn();
  const other = chrome.open();
  await settled(other);
  await tab.logout();
  const state = await until(other, ({ status }) => status === "signedOut");
  assert.equal(state.reason, "SIGNED_OUT");
});

test("tabs that refresh at the same time all stay signed in", async () => {
  const { chrome, tab } = await signedIn();
  const tabs = [tab, chrome.open(), chrome.open()];
  await Promise.all(tabs.map(settled));
  for (let round = 0; round < 3; round += 1) await Promise.all(tabs.map((each) => each.refresh()));
  for (const each of tabs) assert.equal(each.getState().status, "signedIn");
  await Promise.all(tabs.map((each) => each.request(ME)));
});

test("a tab that gets no answer does not keep the others from refreshing", async (t) => {
  const { chrome, tab } = await signedIn();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let release;
  const { signal } = new AbortController();
  const other = navigator.locks.request(`hallpass:${server.url}`, { signal }, () => new Promise((resolve) => (release = resolve)));
  const refresh = tab.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(chrome.count("RefreshToken"), 1, "before the sign-in");
  t.mock.timers.tick(5_000);
  await refresh;
  assert.equal(chrome.count("RefreshToken"), 2);
  assert.equal(tab.getState().status, "signedIn");
  release();
  await other;
});

test("a refresh in one tab renews the token of the others", async () => {
  const { chrome, tab } = await signedIn();
  const other = chrome.open();
  await settled(other);
  const previous = other.current().accessToken;
  await new Promise((resolve) => setTimeout(resolve, 2));
  await tab.refresh();
  await until(other, () => other.current().accessToken !== previous);
  assert.equal(other.current().accessToken, tab.current().accessToken);
});

test("what one user asked for is not repeated as another user", async () => {
  const { chrome, tab, username } = await signedIn();
  const bob = newName();
  const other = chrome.open();
  await settled(other);
  chrome.faults.before = async ({ operation }) => {
    // While the response is on its way, another user signs in in another tab.
    if (operation !== "Rename") return;
    chrome.faults.before = async () => {};
    await other.register({ username: bob, password: PASSWORD });
    await until(tab, ({ user }) => user.username === bob);
  };
  const rename = 'mutation Rename { updateProfile(input: { firstName: "Ada" }) { user { id username firstName } } }';
  await assert.rejects(tab.request(rename), { code: "UNAUTHENTICATED" });
  assert.equal(chrome.count("Rename"), 1);
  assert.equal(tab.getState().user.username, bob);
  assert.equal((await tab.request("query Me { me { firstName } }")).me.firstName, null);
  assert.notEqual(username, bob);
});

test("the user follows changes in responses, in all tabs", async () => {
  const { chrome, tab } = await signedIn();
  const other = chrome.open();
  await settled(other);
  await tab.request('mutation { updateProfile(input: { firstName: "Ada" }) { user { id firstName fullName } } }');
  assert.equal(tab.getState().user.fullName, "Ada");
  assert.equal((await until(other, ({ user }) => user.firstName === "Ada")).status, "signedIn");
});

test("deleting the account signs out", async () => {
  const { tab } = await signedIn();
  await tab.request(`mutation { deleteAccount(input: { password: "${PASSWORD}" }) { deletedUserId } }`);
  assert.equal(tab.getState().status, "signedOut");
});

test("a blocked cookie ends the session with a reason at the first refresh", async () => {
  const chrome = openBrowser();
  chrome.faults.keepsCookies = false;
  const tab = chrome.open();
  await settled(tab);
  await tab.register({ username: newName(), password: PASSWORD });
  await tab.refresh();
  assert.equal(tab.getState().reason, "SESSION_NOT_FOUND");
});

test("a public request does not wait for the session and has no token", async () => {
  const { chrome, tab } = await signedIn();
  const loading = createHallpass({ url: server.url, fetch: chrome.fetch });
  const { serverInfo } = await loading.request("query Info { serverInfo { mailEnabled } }", {}, { isPublic: true });
  assert.equal(serverInfo.mailEnabled, true);
  assert.equal(loading.getState().status, "loading");
  await tab.request("query Info { serverInfo { mailEnabled } }", {}, { isPublic: true });
  assert.ok(chrome.sent.filter(({ operation }) => operation === "Info").every(({ authorization }) => authorization === null));
});

test("refresh tokens in the body are stored and exchanged", async () => {
  let stored = null;
  const storage = { get: () => stored, set: (token) => void (stored = token), delete: () => void (stored = null) };
  const chrome = openBrowser();
  const app = chrome.open({ tokenDelivery: "BODY", storage });
  await settled(app);
  assert.equal(chrome.sent.length, 0, "without a stored token there is nothing to ask");
  const username = newName();
  await app.register({ username, password: PASSWORD });
  assert.equal(chrome.cookies.size, 0);
  const first = stored;
  const restarted = chrome.open({ tokenDelivery: "BODY", storage });
  assert.equal((await settled(restarted)).user.username, username);
  assert.notEqual(stored, first);
  await restarted.logout();
  assert.equal(stored, null);
});

test("a token is stored before it is used, and not used if the user signed out meanwhile", async () => {
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const storage = { get: () => null, delete: () => {} };
  const begun = new Promise((begin) => (storage.set = () => (begin(), finished)));
  const app = openBrowser().open({ tokenDelivery: "BODY", storage });
  await settled(app);
  const registered = app.register({ username: newName(), password: PASSWORD });
  await begun;
  assert.equal(app.current(), null);
  await app.forget();
  finish();
  await registered;
  assert.equal(app.current(), null);
  assert.equal(app.getState().status, "signedOut");
});

for (const headers of [() => ({ "X-Test": "1" }), async () => new Headers({ "x-test": "1" }), async () => [["x-test", "1"]]]) {
  test(`headers may be ${headers}`, async () => {
    const chrome = openBrowser();
    const values = [];
    chrome.faults.before = async (_, request) => void values.push(request.headers.get("x-test"), request.headers.get("content-type"));
    const tab = chrome.open({ headers });
    await settled(tab);
    // If the connection is lost, the client sends the request again.
    assert.deepEqual(values.slice(0, 2), ["1", "application/json"]);
  });
}

test("fetch sends the token to the server and repeats a request with a body after 401", async () => {
  const { chrome, tab, username } = await signedIn();
  assert.equal((await (await tab.fetch(`${server.origin}/users/me`)).json()).username, username);
  rejectTokens(chrome, 1);
  const response = await tab.fetch(`${server.origin}/users/me`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ first_name: "Ada" }),
  });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).first_name, "Ada");
});

test("fetch does not send the token to other origins", async () => {
  const { chrome, tab } = await signedIn();
  const before = chrome.sent.length;
  await assert.rejects(tab.fetch("https://api.example.org/"), /origins/);
  await assert.rejects(tab.fetch("http://127.0.0.1:1/"), /origins/);
  assert.equal(chrome.sent.length, before);
});

test("rendering on a server touches nothing of a browser", () => {
  const hallpass = createHallpass({ url: "/graphql" });
  assert.equal(hallpass.getServerState().status, "loading");
  assert.equal(hallpass.getState().status, "loading");
});

test("stop and start again follow other tabs as before", async () => {
  const { chrome, tab } = await signedIn();
  tab.stop();
  tab.start();
  const other = chrome.open();
  await settled(other);
  await other.logout();
  await until(tab, ({ status }) => status === "signedOut");
});

test("a server that restarts with its data keeps users signed in", async () => {
  const first = await startServer();
  const chrome = browser(first.url);
  browsers.push(chrome);
  const tab = chrome.open();
  await settled(tab);
  const username = newName();
  await tab.register({ username, password: PASSWORD });
  await first.stop();
  await tab.refresh();
  assert.equal(tab.getState().isOffline, true);
  const second = await startServer({}, first.folder, first.port);
  await until(tab, ({ isOffline }) => !isOffline);
  assert.equal((await tab.request(ME)).me.username, username);
  await second.stop();
});
