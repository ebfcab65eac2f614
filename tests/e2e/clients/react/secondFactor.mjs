// The authenticator app: setting it up, signing in with it, a remembered browser, and the proof of identity that its removal needs.

import { check } from "../checks.mjs";
import { codeOf } from "../totp.mjs";
import { heading, PASSWORD, region, submit } from "./browser.mjs";

const settings = (tab) => region(tab, "Authenticator app");
const fallbacks = (tab) => region(tab, "Recovery codes");

/** Sets up the app on the page Security. Returns the secret. */
async function setUp(tab) {
  await settings(tab).getByRole("button", { name: "Set up" }).click();
  const secret = await settings(tab).locator("code").textContent();
  return secret;
}

async function signOut(tab) {
  await tab.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await heading(tab, "Sign in");
}

async function enterPassword(tab) {
  await submit(tab, "Sign in", { username: "tina", password: PASSWORD });
}

export async function secondFactor(world) {
  const tab = await world.register(await world.device(), "tina");
  await tab.getByRole("link", { name: "Security" }).click();
  const secret = await setUp(tab);
  await settings(tab).getByRole("img", { name: "QR code" }).evaluate((image) => image.decode());
  check("the QR code is shown", true);
  await submit(tab, "Finish", { code: "000000" });
  await settings(tab).getByRole("alert").filter({ hasText: "code" }).waitFor();
  await world.audit(tab, "second-factor-set-up");
  await submit(tab, "Finish", { code: codeOf(secret) });
  await settings(tab).getByRole("listitem").first().waitFor();
  const codes = await settings(tab).getByRole("listitem").allTextContents();
  check("ten recovery codes are shown", codes.length === 10, codes.length);
  await world.audit(tab, "recovery-codes");
  const cache = await tab.evaluate(() => JSON.stringify(window.apollo.cache.extract()));
  check("neither the secret nor the recovery codes are in the cache", ![secret, ...codes].some((text) => cache.includes(text)));
  await submit(tab, "I have kept them");
  await fallbacks(tab).getByText("Recovery codes left: 10").waitFor();

  await signOut(tab);
  await enterPassword(tab);
  await heading(tab, "Enter the code");
  await world.audit(tab, "enter-code");
  await tab.reload();
  await heading(tab, "Sign in");
  check("the password alone does not sign in", true);
  await enterPassword(tab);
  await heading(tab, "Enter the code");
  await submit(tab, "Sign in", { code: "000000" });
  await tab.getByRole("alert").filter({ hasText: "code" }).waitFor();
  await world.audit(tab, "enter-code-problem");
  await tab.getByLabel("Do not ask again in this browser").check();
  // The current code is used. The next one is accepted early.
  await submit(tab, "Sign in", { code: codeOf(secret, 1) });
  await heading(tab, "Security");
  check("password and code sign in", true);

  await signOut(tab);
  await enterPassword(tab);
  await heading(tab, "Security");
  check("a remembered browser needs only the password", true);
  await fallbacks(tab).getByText("you sign in with the password alone").waitFor();
  await world.audit(tab, "second-factor-on");
  const other = await world.open(await world.device());
  await enterPassword(other);
  await heading(other, "Enter the code");
  await submit(other, "Sign in", { code: codes[0].toLowerCase() });
  await heading(other, "Profile");
  check("another browser signs in with a recovery code", true);

  await settings(tab).getByRole("button", { name: "Remove the app" }).click();
  await settings(tab).getByRole("button", { name: "Confirm that it is you" }).waitFor();
  await world.audit(tab, "confirm-identity");
  await submit(tab, "Confirm that it is you", { code: codes[0] });
  await settings(tab).getByRole("alert").filter({ hasText: "code" }).last().waitFor();
  await submit(tab, "Confirm that it is you", { code: codes[1] });
  await settings(tab).getByRole("button", { name: "Set up" }).waitFor();
  check("the app can be removed after the second factor is confirmed", true);
  await signOut(tab);
  await enterPassword(tab);
  await heading(tab, "Security");
  check("then the password signs in", true);
}

/** With `MFA_REQUIRED_ROLES`. */
export async function requiredSecondFactor(world) {
  const tab = await world.register(await world.device(), "una");
  await submit(tab, "Save", { firstName: "Una" });
  await tab.getByRole("alert").filter({ hasText: "authenticator" }).waitFor();
  await tab.getByRole("link", { name: "Security" }).click();
  await submit(tab, "Finish", { code: codeOf(await setUp(tab)) });
  await submit(tab, "I have kept them");
  await tab.getByRole("link", { name: "Profile" }).click();
  await submit(tab, "Save", { firstName: "Una" });
  await tab.getByText("Saved.").waitFor();
  check("a user whose role requires a second factor can set it up, and then do the rest", true);
}
