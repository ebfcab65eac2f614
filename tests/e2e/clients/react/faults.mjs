// What happens to a session when something goes wrong.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check } from "../checks.mjs";
import { emptyFolder } from "../server.mjs";
import { heading, PASSWORD, region, submit } from "./browser.mjs";

/** How often an operation was sent. */
const count = (tab, operation) => tab.sent.filter((sent) => sent === operation).length;

/** Opens the list of sessions, which needs an access token. */
async function openDevices(tab) {
  await tab.getByRole("link", { name: "Security" }).click();
  await region(tab, "Devices").getByText("This device").waitFor();
}

const isSignedIn = async (tab) => (await tab.getByRole("button", { name: "Sign out", exact: true }).count()) === 1;

/** Refreshes now, as the app does when the access token expires. */
const refresh = (tab) => tab.evaluate(() => window.hallpass.refresh());

/**
 * Signs in on devices whose clocks stand still afterwards, as if they slept. Returns a function that waits until their access tokens
 * have expired: a minute at most, so other scenarios run meanwhile.
 */
export async function fallAsleep(world) {
  const asleep = [];
  for (const username of ["sleeper", "parallel"]) {
    const device = await world.device();
    await device.clock.install();
    // A device that sleeps has no stream, which would refresh the token.
    const isStream = (route) => route.request().headers().accept === "text/event-stream";
    await device.route("**/graphql", (route) => (isStream(route) ? route.abort() : route.fallback()));
    const tab = await world.register(device, username);
    const { accessToken } = await tab.evaluate(() => window.hallpass.current());
    const { exp } = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url"));
    // A time that is still to come when the page hears of it.
    await device.clock.pauseAt(await tab.evaluate(() => Date.now() + 10_000));
    tab.sent.length = 0;
    asleep.push({ device, tab, exp });
  }
  world.contexts.splice(0);
  return async () => {
    for (const { device } of asleep) world.track(device);
    const expiry = Math.max(...asleep.map(({ exp }) => exp)) * 1_000;
    while (Date.now() <= expiry) await new Promise((resolve) => setTimeout(resolve, expiry - Date.now() + 1));
    return asleep.map(({ tab }) => tab);
  };
}

export async function laptopWakes(tab) {
  await openDevices(tab);
  check("after sleep, the first request refreshes the expired token", count(tab, "RefreshToken") === 1 && count(tab, "Sessions") === 2, tab.sent);
}

export async function parallelQueries(tab) {
  const names = await tab.evaluate(async () => {
    const query = (_, number) => window.apollo.query({ query: window.gql(`query Q${number} { me { id username } }`), fetchPolicy: "no-cache" });
    return (await Promise.all(Array.from({ length: 10 }, query))).map(({ data }) => data.me.username);
  });
  check("ten parallel queries with a dead token all succeed", names.length === 10 && names.every((name) => name === "parallel"), names);
  check("they cause one refresh", count(tab, "RefreshToken") === 1 && tab.sent.length === 21, tab.sent);
}

export async function twoTabs(world) {
  const device = await world.device();
  const second = await world.open(device);
  await heading(second, "Sign in");
  const first = await world.register(device, "tabs");
  await heading(second, "Profile");
  check("signing in in one tab signs in the other", true);

  await (await world.open(device)).close();
  for (let round = 0; round < 5; round += 1) await Promise.all([first.reload(), second.reload()]);
  for (let round = 0; round < 5; round += 1) await Promise.all([refresh(first), refresh(second)]);
  await submit(first, "Save", { firstName: "Tabea" });
  await second.getByRole("banner").getByText("Tabea").waitFor();
  await openDevices(first);
  const elsewhere = await world.signIn(await world.device(), "tabs");
  await elsewhere.getByRole("button", { name: "Sign out", exact: true }).click();
  await heading(elsewhere, "Sign in");
  await world.signIn(await world.device(), "tabs");
  await first.reload();
  await submit(first, "Sign out all other devices");
  await submit(first, "Change password", { currentPassword: PASSWORD, newPassword: "another good password" });
  await first.getByText("Your password is changed.").waitFor();
  await openDevices(second);
  check("reloads, refreshes, changes and other devices leave both tabs signed in", (await isSignedIn(first)) && (await isSignedIn(second)));

  await second.getByRole("button", { name: "Sign out", exact: true }).click();
  await heading(first, "Sign in");
  check("signing out in one tab signs out the other", (await first.getByText("You were signed out").count()) === 0);
}

export async function lostAnswer(world) {
  const device = await world.device();
  const tab = await world.register(device, "lost");
  const url = `${world.home}/graphql`;
  let lost = 0;
  await tab.route(url, async (route) => {
    const request = route.request();
    if (lost > 0 || !request.postData()?.includes("RefreshToken")) return route.continue();
    lost += 1;
    // The server answers, but the browser never hears of it.
    const cookie = (await device.cookies(url)).map(({ name, value }) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json", origin: world.app, cookie }, body: request.postData() });
    check("the server exchanged the token of the lost answer", Boolean((await response.json()).data?.refreshToken));
    await route.abort("connectionreset");
  });
  await refresh(tab);
  await tab.waitForFunction(() => !window.hallpass.getState().isOffline);
  await openDevices(tab);
  await refresh(tab);
  check("a lost answer to a refresh does not sign out", lost === 1 && count(tab, "RefreshToken") > 2 && (await isSignedIn(tab)));
}

export async function blockedCookies(world) {
  const profile = emptyFolder();
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }));
  const options = { executablePath: "/usr/bin/chromium", args: ["--no-sandbox"], locale: "en-GB" };
  const tab = await world.register(world.track(await chromium.launchPersistentContext(profile, options)), "blocked");
  check("the browser blocks storage", await tab.evaluate(() => { try { return !localStorage; } catch { return true; } }));
  await openDevices(tab);
  check("with blocked cookies, the user stays signed in while the token is valid", true);
  await refresh(tab);
  await tab.getByText("Allow cookies for this page and sign in again.").waitFor();
  check("then the page says why the user is signed out", true);
}

export async function restart(world) {
  const tab = await world.register(await world.device(), "restart");
  const { folder } = world.server;
  await world.server();
  await tab.getByRole("link", { name: "Security" }).click();
  await region(tab, "Devices").getByRole("alert").filter({ hasText: "The server cannot be reached." }).waitFor();
  await refresh(tab);
  check("while the server is down, the user stays signed in", await isSignedIn(tab));
  const loading = await world.open(tab.context());
  await loading.getByText("The server cannot be reached. Trying again…").waitFor();
  await world.start(folder);
  await heading(loading, "Profile");
  check("a page that was opened meanwhile signs in by itself", true);
  await region(tab, "Devices").getByRole("button", { name: "Try again" }).click();
  await region(tab, "Devices").getByText("This device").waitFor();
  check("after the restart, the page goes on", true);
}

export async function offline(world) {
  const device = await world.device();
  const tab = await world.register(device, "offline");
  await device.setOffline(true);
  await tab.getByRole("link", { name: "Security" }).click();
  await region(tab, "Devices").getByRole("alert").filter({ hasText: "The server cannot be reached." }).waitFor();
  await tab.getByRole("button", { name: "Sign out", exact: true }).click();
  await tab.getByRole("banner").getByRole("alert").filter({ hasText: "The server cannot be reached." }).waitFor();
  await refresh(tab);
  await tab.getByText("The server cannot be reached. Trying again…").waitFor();
  check("offline is not signed out", await isSignedIn(tab));
  await world.audit(tab, "offline");
  await device.setOffline(false);
  await tab.getByText("The server cannot be reached. Trying again…").waitFor({ state: "detached" });
  await region(tab, "Devices").getByRole("button", { name: "Try again" }).click();
  await region(tab, "Devices").getByText("This device").waitFor();
  check("online again, the page goes on", true);
}
