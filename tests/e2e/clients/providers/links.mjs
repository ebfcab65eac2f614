// Linking a provider from inside, unlinking, and the second factor after a provider.

import { check } from "../checks.mjs";
import { codeOf } from "../totp.mjs";
import { PASSWORD, choose, forgetProviders, me, send, shown, signIn } from "./world.mjs";

const SIGN_IN = "mutation($username: String!, $password: String!) { login(input: { username: $username, password: $password }) { accessToken user { username } } }";
const REAUTHENTICATE = "mutation($password: String!) { reauthenticate(input: { password: $password }) { accessToken } }";
const SET_PASSWORD = "mutation($newPassword: String!) { setPassword(input: { newPassword: $newPassword }) { user { hasPassword } } }";
const START_TOTP = "mutation { startTotpEnrollment { secret } }";
const CONFIRM_TOTP = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { user { mfaMethods } } }";

const tokenIn = (tab) => tab.evaluate(() => window.token);
const identitiesIn = async (tab) => (await me(await tokenIn(tab))).identities;

/** A tab in which a user has signed in with a password. */
async function withPassword(world, username) {
  await world.register(username);
  const tab = await world.device();
  await tab.evaluate(async ([query, username, password]) => {
    window.token = (await send(query, { username, password })).login.accessToken;
  }, [SIGN_IN, username, PASSWORD]);
  return tab;
}

/** Asks for the address that starts a link. */
async function startLink(tab) {
  const { startIdentityLink, code } = await tab.evaluate(() => startLink());
  return { url: startIdentityLink?.url, code };
}

/** Links an account at the provider. Returns what the app says. */
async function link(tab, name) {
  const { url } = await startLink(tab);
  await tab.goto(url);
  await choose(tab, name);
  return shown(tab);
}

const unlink = (tab, identityId) => tab.evaluate((identityId) => send("unlink", { identityId }), identityId);

export async function linkFromInside(world) {
  world.accounts.Hugo = { email: "hugo@work.example", email_verified: true, preferred_username: "hugo" };
  const tab = await withPassword(world, "hugo");
  const said = await link(tab, "Hugo");
  check("a signed-in user links an account with another address", said === "Linked: hugo@work.example", said);
  check("a mail tells the user", await world.isMailed("hugo@example.org", 2, "A sign-in provider was linked"));
  const other = await world.device();
  check("it signs in", (await signIn(other, "Hugo")) === "Signed in: hugo");

  const iris = await withPassword(world, "iris");
  const taken = await link(iris, "Hugo");
  check("another user cannot link it", taken === "IDENTITY_TAKEN" && (await identitiesIn(iris)).length === 0, taken);

  const [identity] = await identitiesIn(tab);
  const { unlinkIdentity } = await unlink(tab, identity.id);
  check("the user unlinks it", unlinkIdentity?.unlinkedIdentityId === identity.id && (await identitiesIn(tab)).length === 0, unlinkIdentity);
  check("a mail tells that, too", await world.isMailed("hugo@example.org", 3, "A sign-in provider was unlinked"));
  const later = await signIn(await world.device(), "Hugo");
  check("it no longer signs in", later.startsWith("Signed in: hugo-"), later);
}

export async function linkInAnotherBrowser(world) {
  world.accounts.Kim = { email: "kim@work.example", email_verified: true, preferred_username: "kim" };
  const attacker = await withPassword(world, "jack");
  const victim = await withPassword(world, "kim");
  const { url } = await startLink(attacker);
  // Even with the verifier of the attacker, only the session of the attacker can finish the link.
  const verifier = await attacker.evaluate(() => sessionStorage.getItem("codeVerifier"));
  await victim.evaluate((verifier) => sessionStorage.setItem("codeVerifier", verifier), verifier);
  await victim.goto(url);
  await choose(victim, "Kim");
  const said = await shown(victim);
  check("the start address of a link does nothing in another browser", said === "CODE_INVALID", said);
  const [ofVictim, ofAttacker] = [await identitiesIn(victim), await identitiesIn(attacker)];
  check("nothing is linked to either user", ofVictim.length + ofAttacker.length === 0, ofVictim, ofAttacker);
  const signedIn = await victim.evaluate(() => send("login", exchange));
  check("its code does not sign in", signedIn.code === "CODE_INVALID", signedIn);
}

export async function recentProof(world) {
  world.accounts.Lea = { email: "lea@work.example", email_verified: true, preferred_username: "lea" };
  const tab = await withPassword(world, "lea");
  world.age("lea");
  const { code } = await startLink(tab);
  check("a link needs a recent proof of identity", code === "REAUTHENTICATION_REQUIRED", code);
  await tab.evaluate(async ([query, password]) => {
    window.token = (await send(query, { password })).reauthenticate.accessToken;
  }, [REAUTHENTICATE, PASSWORD]);
  const said = await link(tab, "Lea");
  check("after the password, the user links", said === "Linked: lea@work.example", said);
  world.age("lea");
  await tab.evaluate(() => resume());
  const [{ id }] = await identitiesIn(tab);
  const refused = await unlink(tab, id);
  check("so does unlinking", refused.code === "REAUTHENTICATION_REQUIRED" && (await identitiesIn(tab)).length === 1, refused);
}

export async function lastSignInMethod(world) {
  world.accounts.Mia = { email: "mia@example.org", email_verified: true, preferred_username: "mia" };
  const tab = await world.device();
  await signIn(tab, "Mia");
  const [{ id }] = await identitiesIn(tab);
  const refused = await unlink(tab, id);
  check("the last way to sign in cannot be unlinked", refused.code === "LAST_SIGN_IN_METHOD" && (await identitiesIn(tab)).length === 1, refused);

  world.age("mia");
  const stale = await tab.evaluate(([query, newPassword]) => send(query, { newPassword }), [SET_PASSWORD, PASSWORD]);
  check("a password needs a recent proof of identity", stale.code === "REAUTHENTICATION_REQUIRED", stale);
  await forgetProviders(tab);
  check("the user signs in with the provider again", (await signIn(tab, "Mia")) === "Signed in: mia");
  const { setPassword } = await tab.evaluate(([query, newPassword]) => send(query, { newPassword }), [SET_PASSWORD, PASSWORD]);
  const { unlinkIdentity } = await unlink(tab, id);
  check("with a password, the identity can be unlinked", setPassword?.user.hasPassword && unlinkIdentity?.unlinkedIdentityId === id, setPassword, unlinkIdentity);
}

export async function secondFactor(world) {
  world.accounts.Nora = { email: "nora@example.org", email_verified: true, preferred_username: "nora" };
  const tab = await world.device();
  await signIn(tab, "Nora");
  const token = await tokenIn(tab);
  const { secret } = (await send(START_TOTP, undefined, token)).startTotpEnrollment;
  const { confirmTotpEnrollment } = await send(CONFIRM_TOTP, { code: codeOf(secret) }, token);
  check("a user of a provider sets up an authenticator app", confirmTotpEnrollment?.user.mfaMethods.includes("TOTP"), confirmTotpEnrollment);

  const other = await world.device();
  const said = await signIn(other, "Nora");
  const { methods, token: mfaToken } = (await other.evaluate(() => window.mfa)) ?? {};
  check("the provider alone does not sign in", said === "MFA_REQUIRED" && methods.includes("TOTP"), said, methods);
  const resumed = await other.evaluate(() => resume());
  check("there is no session before the code", resumed === "SESSION_NOT_FOUND", resumed);
  const stolen = await world.device();
  const code = codeOf(secret, 1);
  const refused = await stolen.evaluate(([token, code]) => send("verifyMfa", { token, code }), [mfaToken, code]);
  check("another browser cannot finish the sign-in", refused.code === "MFA_CHALLENGE_EXPIRED", refused);
  check("the code of the app does", (await other.evaluate((code) => verify(code), code)) === "Signed in: nora");
  const { amr, acr } = JSON.parse(Buffer.from((await tokenIn(other)).split(".")[1], "base64url"));
  check("the access token says how", amr.join() === "fed,otp,mfa" && acr === "aal2", amr, acr);
}
