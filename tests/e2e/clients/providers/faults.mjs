// What goes wrong in browsers and at providers.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check } from "../checks.mjs";
import { emptyFolder } from "../server.mjs";
import { BROWSER, app, choose, forgetProviders, home, press, shown, signIn } from "./world.mjs";

/** The status of the page of the server at which `navigate` arrives, and its text. */
async function pageOf(tab, navigate) {
  let status;
  tab.on("response", (response) => {
    if (response.url().startsWith(`${home}/auth/`)) status = response.status();
  });
  await navigate();
  await tab.getByRole("heading").or(tab.locator("output:not(:empty)")).first().waitFor();
  return { status, text: await tab.locator("body").innerText() };
}

/** Whether a page is the one for a flow that is unknown in this browser. */
const isUnknown = ({ status, text }) => status === 400 && text.startsWith("This did not work") && text.includes("start again") && !/[{}<>]|CODE_INVALID/.test(text);

export async function providerDown(world) {
  world.accounts.Olga = { email: "olga@example.org", email_verified: true, preferred_username: "olga" };
  world.globex.isDown = "/";
  const tab = await world.device();
  await press(tab, "Globex");
  check("a provider that is down fails its own button", (await shown(tab)) === "PROVIDER_FAILED");
  check("the other provider works", (await signIn(tab, "Olga", "Acme")) === "Signed in: olga");
  world.globex.isDown = undefined;

  await forgetProviders(tab);
  world.acme.isDown = "/token";
  const failed = await signIn(tab, "Olga", "Acme");
  world.acme.isDown = undefined;
  check("so does one that goes down during the sign-in", failed === "PROVIDER_FAILED", failed);
  await press(tab);
  check("the next attempt works", (await shown(tab)) === "Signed in: olga");
}

/** The server does not ask a provider again for ten seconds after a failure. */
export async function providerUpAgain(world) {
  world.accounts.Pia = { email: "pia@example.org", preferred_username: "pia" };
  const tab = await world.device();
  const deadline = Date.now() + 12_000;
  const isUp = () => tab.getByRole("button", { name: "Pia" }).isVisible();
  while (!(await isUp()) && Date.now() < deadline) {
    await press(tab, "Globex");
    await tab.locator("output:not(:empty)").or(tab.getByRole("button", { name: "Pia" })).waitFor();
  }
  await choose(tab, "Pia");
  check("a provider that is up again signs in", (await shown(tab)) === "Signed in: pia");
}

export async function cancelled(world) {
  world.accounts.Quin = { email: "quin@example.org", email_verified: true, preferred_username: "quin" };
  const tab = await world.device();
  await press(tab);
  await choose(tab, "Cancel");
  const said = await shown(tab);
  check("a user who cancels returns to the app", said === "PROVIDER_REFUSED" && tab.url() === `${app}/signed-in`, said, tab.url());
  check("the user can start again", (await signIn(tab, "Quin")) === "Signed in: quin");
}

export async function twoTabs(world) {
  world.accounts.Rob = { email: "rob@example.org", email_verified: true, preferred_username: "rob" };
  const first = await world.device();
  const second = await world.open(first.context());
  for (const tab of [first, second]) {
    await press(tab);
    await tab.getByRole("button", { name: "Rob" }).waitFor();
  }
  await Promise.all([first, second].map((tab) => choose(tab, "Rob")));
  const said = await Promise.all([first, second].map(shown));
  check("two tabs sign in at once", said.join() === "Signed in: rob,Signed in: rob", said);
}

export async function backButton(world) {
  world.accounts.Sam = { email: "sam@example.org", email_verified: true, preferred_username: "sam" };
  const tab = await world.device();
  await press(tab);
  await tab.getByRole("button", { name: "Sam" }).waitFor();
  await tab.goBack();
  await press(tab);
  const callbacks = [];
  tab.on("request", (request) => request.url().startsWith(`${home}/auth/acme/callback`) && callbacks.push(request.url()));
  await choose(tab, "Sam");
  const said = await shown(tab);
  check("going back at the provider and starting again signs in", said === "Signed in: sam", said);

  await tab.goBack();
  await tab.waitForURL(`${world.acme.issuer}/**`);
  await tab.goForward();
  const after = await shown(tab);
  check("going back after the sign-in, and forward, keeps the session", ["Session of sam", said].includes(after) && tab.url() === `${app}/signed-in`, after, tab.url());
  await tab.goBack();
  await tab.getByRole("button", { name: "Sam" }).or(tab.getByRole("heading")).first().waitFor();
  await tab.goBack();
  await shown(tab);
  const resumed = await tab.evaluate(() => resume());
  check("going back to the app keeps it, too", resumed === "Session of sam", resumed);
  check("there was one callback", callbacks.length === 1, callbacks);
  const replayed = await pageOf(tab, () => tab.goto(callbacks[0]));
  check("the address of the callback does nothing when it is opened again", isUnknown(replayed), replayed);
}

export async function anotherBrowser(world) {
  world.accounts.Tess = { email: "tess@example.org", email_verified: true, preferred_username: "tess" };
  const attacker = await world.device();
  await press(attacker);
  await attacker.getByRole("button", { name: "Tess" }).waitFor();
  // Signs in at the provider with the cookies of the browser, up to the redirect to the server.
  const { request } = attacker.context();
  const resumed = await request.post(attacker.url(), { form: { account: "Tess" }, maxRedirects: 0 });
  const returned = await request.get(resumed.headers().location, { maxRedirects: 0 });
  const callback = returned.headers().location;
  const victim = await world.device();
  const page = await pageOf(victim, () => victim.goto(callback));
  check("the callback of another browser is refused", isUnknown(page), page);
  await victim.goto(app);
  check("no user is signed in there", (await shown(victim)) === "SESSION_NOT_FOUND");
  await attacker.goto(callback);
  check("the browser that started can still use it", (await shown(attacker)) === "Signed in: tess");
}

/** The browser blocks the cookies of the server only: a provider without its own cookies shows an error of its own. */
export async function blockedCookies(world) {
  const profile = emptyFolder();
  mkdirSync(join(profile, "Default"));
  const exceptions = { cookies: { [`${home},*`]: { setting: 2 } } };
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify({ profile: { content_settings: { exceptions } } }));
  const context = await chromium.launchPersistentContext(profile, BROWSER);
  const tab = await world.open(context);
  await press(tab);
  const page = await pageOf(tab, () => choose(tab, "Tess"));
  check("without the cookie, the server shows an error page", isUnknown(page), page);
  check("the page says that the browser must keep cookies", page.text.includes("Allow cookies for this site"), page);
  const cookies = await context.cookies(home);
  check("the browser has no cookie of the server", cookies.every(({ name }) => !/^(auth|refresh)_/.test(name)), cookies);
}
