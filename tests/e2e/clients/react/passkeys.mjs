// Passkeys: adding, renaming and deleting them, and signing in with them, with the virtual authenticator of Chromium.

import { check } from "../checks.mjs";
import { Authenticator, recordRequests } from "../virtual_authenticator.mjs";
import { heading, PASSWORD, problem, region, submit } from "./browser.mjs";

const settings = (tab) => region(tab, "Passkeys");
const button = (tab, name) => tab.getByRole("button", { name, exact: true });

/** The recovery codes that a part of the page shows. */
async function newCodes(part) {
  await part.getByText("Keep these recovery codes.").waitFor();
  return part.locator(".codes").getByRole("listitem").allTextContents();
}

async function signOut(tab) {
  await button(tab.getByRole("banner"), "Sign out").click();
  await heading(tab, "Sign in");
}

export async function passkeys(world) {
  const tab = await world.register(await world.device(), "paula");
  const authenticator = await Authenticator.attach(tab);
  let respondsTo = (mediation) => mediation !== "conditional";
  await tab.exposeFunction("beforeRequest", (mediation) => authenticator.setPresent(respondsTo(mediation)));
  await tab.addInitScript(recordRequests);
  await tab.reload();
  await tab.getByRole("link", { name: "Security" }).click();
  await add(world, tab);
  await signIn(world, tab, authenticator);

  respondsTo = () => true;
  await tab.reload();
  await heading(tab, "Security");
  check("the autofill signs in with a passkey", (await tab.evaluate(() => window.requests.join())) === "conditional");
  respondsTo = (mediation) => mediation !== "conditional";
  await secondStep(world, tab);
  await remove(world, tab, authenticator);
}

/** An account without a password. */
export async function passwordless(world) {
  const tab = await world.open(await world.device(), "/register");
  const authenticator = await Authenticator.attach(tab);
  await heading(tab, "Create account");
  await button(tab, "Use a passkey, without a password").click();
  await world.audit(tab, "register-passkey");
  await submit(tab, "Create account with a passkey", { username: "not a name", email: "petra@example.org" });
  await problem(tab, "username", "Use letters A–Z");
  check("a problem of the form is found before a passkey is created", (await authenticator.credentialIds()).length === 0);
  await submit(tab, "Create account with a passkey", { username: "petra" });
  await heading(tab, "Recovery codes");
  check("an account without a password comes with ten recovery codes", (await newCodes(tab)).length === 10);
  await world.audit(tab, "register-passkey-codes");
  await submit(tab, "I have kept them");
  await heading(tab, "Profile");
  await tab.getByRole("link", { name: "Security" }).click();
  await button(settings(tab), "Delete").click();
  await settings(tab).getByRole("alert").filter({ hasText: "your only way to sign in" }).waitFor();
  check("its only passkey cannot be deleted", true);
  await world.audit(tab, "security-passkey");
  await submit(tab, "Set a password", { newPassword: PASSWORD });
  await button(tab, "Change password").waitFor();
  await button(settings(tab), "Delete").click();
  await settings(tab).getByText("Added").waitFor({ state: "detached" });
  check("with a password, the passkey can be deleted", true);
}

async function add(world, tab) {
  await submit(tab, "Add a passkey");
  const codes = await newCodes(settings(tab));
  check("the first passkey comes with ten recovery codes", codes.length === 10, codes.length);
  await world.audit(tab, "passkey-added");
  await submit(tab, "I have kept them");
  await submit(tab, "Add a passkey");
  await settings(tab).getByRole("alert").filter({ hasText: "already has a passkey" }).waitFor();
  check("a second passkey on the same device is reported", true);
  await button(settings(tab), "Rename").click();
  await world.audit(tab, "passkey-rename");
  await submit(tab, "Save", { name: "My laptop" });
  await settings(tab).getByText("My laptop").waitFor();
  await world.audit(tab, "passkeys");
  check("a passkey can be renamed", true);
}

async function signIn(world, tab, authenticator) {
  await signOut(tab);
  await tab.waitForFunction(() => window.requests.at(-1) === "conditional");
  await world.audit(tab, "sign-in-passkey");
  await authenticator.setVerified(false);
  await submit(tab, "Sign in with a passkey");
  await tab.getByRole("alert").filter({ hasText: "No passkey was used." }).waitFor();
  await tab.waitForFunction(() => window.requests.at(-1) === "conditional");
  check("a cancelled dialog is reported, and the autofill comes back", true);
  await authenticator.setVerified(true);
  await submit(tab, "Sign in with a passkey");
  await heading(tab, "Security");
  check("the button signs in with a passkey", true);
  await signOut(tab);
}

async function secondStep(world, tab) {
  await signOut(tab);
  await submit(tab, "Sign in", { username: "paula", password: PASSWORD });
  await heading(tab, "Confirm that it is you");
  await world.audit(tab, "second-step-passkey");
  await submit(tab, "Use a passkey");
  await heading(tab, "Security");
  check("password and passkey sign in", true);
}

async function remove(world, tab, authenticator) {
  await submit(tab, "New recovery codes");
  const codes = await newCodes(region(tab, "Recovery codes"));
  await submit(tab, "I have kept them");
  await signOut(tab);
  await submit(tab, "Sign in", { username: "paula", password: PASSWORD });
  await tab.getByLabel("Do not ask again in this browser").check();
  await submit(tab, "Sign in", { code: codes[0] });
  await heading(tab, "Security");
  await signOut(tab);
  await submit(tab, "Sign in", { username: "paula", password: PASSWORD });
  await heading(tab, "Security");
  await button(settings(tab), "Delete").click();
  await button(settings(tab), "Use a passkey").waitFor();
  await world.audit(tab, "confirm-identity-passkey");
  await button(settings(tab), "Use a passkey").click();
  await settings(tab).getByText("My laptop").waitFor({ state: "detached" });
  check("a passkey can be deleted after it confirmed the identity", true);
  check("the authenticator has forgotten it", (await authenticator.credentialIds()).length === 0);
  await region(tab, "Recovery codes").waitFor({ state: "detached" });
  check("the recovery codes are gone with the last second factor", true);
}
