import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { followAccount } from "../dist/live.js";
import { PASSWORD, browser, newName, settled, startServer, until } from "./support.mjs";

let server;
const opened = [];
const stops = [];
before(async () => (server = await startServer()));
after(() => server.stop());
afterEach(() => {
  stops.splice(0).forEach((stop) => stop());
  opened.splice(0).forEach((chrome) => chrome.close());
});

/** A browser in which a new user is signed in. */
async function signedIn(options) {
  const chrome = browser(server.url);
  opened.push(chrome);
  const tab = chrome.open(options);
  await settled(tab);
  const username = newName();
  await tab.register({ username, password: PASSWORD });
  return { chrome, tab, username };
}

/** An app on another device, which shares no messages of tabs with a browser. */
async function device(username) {
  const phone = browser(server.url);
  opened.push(phone);
  const tab = phone.open({ tokenDelivery: "BODY" });
  await tab.login({ username, password: PASSWORD });
  return { tab };
}

/** Follows the account in a tab. Resolves when the stream is open. */
async function follow(chrome, tab, onEvent) {
  const { promise, resolve } = withResolvers();
  const { after: answer } = chrome.faults;
  chrome.faults.after = async (response, record) => {
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) resolve();
    return answer(response, record);
  };
  const stop = followAccount(tab, { onEvent });
  stops.push(stop);
  await promise;
  return stop;
}

function withResolvers() {
  let resolve;
  return { promise: new Promise((fulfil) => (resolve = fulfil)), resolve };
}

const rename = (tab, firstName) =>
  tab.request("mutation Rename($name: String) { updateProfile(input: { firstName: $name }) { user { id firstName } } }", { name: firstName });

test("a change in another browser updates the user", async () => {
  const { chrome, tab, username } = await signedIn();
  const phone = await device(username);
  const { promise: event, resolve } = withResolvers();
  await follow(chrome, tab, resolve);
  await rename(phone.tab, "Augusta");
  assert.equal((await event).event.action, "PROFILE_UPDATED");
  assert.equal(tab.getState().user.firstName, "Augusta");
});

test("a session that is revoked signs out at once", async () => {
  const { chrome, tab, username } = await signedIn();
  const phone = await device(username);
  await follow(chrome, tab);
  await phone.tab.request("mutation Revoke { revokeOtherSessions { revokedSessions } }");
  const state = await until(tab, ({ status }) => status === "signedOut");
  assert.equal(state.reason, "SESSION_REVOKED");
});

test("the next user of the browser is followed", async () => {
  const { chrome, tab, username } = await signedIn();
  await follow(chrome, tab);
  await tab.logout();
  const next = await signedIn({ tokenDelivery: "BODY" });
  const { promise: again, resolve } = withResolvers();
  chrome.faults.after = async (response) => (resolve(), response);
  await tab.login({ username: next.username, password: PASSWORD });
  await again;
  for (let round = 0; tab.getState().user.firstName !== "Grace"; round += 1) {
    assert.ok(round < 50, `${username} is still followed`);
    await rename(next.tab, round % 2 ? "Grace" : "Ada");
    await new Promise((wait) => setTimeout(wait, 100));
  }
});

test("the stream is opened again after an interruption, and what was missed is read", async () => {
  const { chrome, tab, username } = await signedIn();
  const phone = await device(username);
  const stop = await follow(chrome, tab);
  await server.stop();
  server = await startServer({}, server.folder, server.port);
  await rename(phone.tab, "Ada");
  await until(tab, (state) => state.user?.firstName === "Ada");
  stop();
});

test("a token that has expired is replaced", async () => {
  const { chrome, tab, username } = await signedIn();
  const phone = await device(username);
  const refreshed = chrome.count("RefreshToken");
  let left = 1;
  chrome.faults.before = async (_, request) => {
    if (left > 0 && request.headers.get("accept") === "text/event-stream") {
      left -= 1;
      request.headers.set("authorization", "Bearer expired");
    }
  };
  await follow(chrome, tab);
  await rename(phone.tab, "Ada");
  for (let round = 0; tab.getState().user.firstName !== "Grace"; round += 1) {
    assert.ok(round < 50, "no event");
    await rename(phone.tab, round % 2 ? "Grace" : "Ada");
    await new Promise((wait) => setTimeout(wait, 100));
  }
  assert.equal(chrome.count("RefreshToken"), refreshed + 1);
});
