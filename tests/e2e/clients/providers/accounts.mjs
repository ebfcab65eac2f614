// Which account an identity belongs to: the table of docs/providers.md.

import { check } from "../checks.mjs";
import { PASSWORD, app, choose, login, me, press, send, shown, signIn } from "./world.mjs";

const REFRESH = "mutation($input: RefreshTokenInput!) { refreshToken(input: $input) { accessToken } }";
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** The user who is signed in in a tab. */
const userIn = async (tab) => me(await tab.evaluate(() => window.token));

export async function newUser(world) {
  world.accounts.Ann = { email: "ann@example.org", email_verified: true, preferred_username: "ann" };
  const tab = await world.device();
  const said = await signIn(tab, "Ann");
  check("a new user gets an account, and is signed in", said === "Signed in: ann", said);
  check("the browser returns to the address of the app", tab.url() === `${app}/signed-in`, tab.url());
  const user = await userIn(tab);
  const [identity] = user.identities;
  check("the account has the verified address, and no password", user.email === "ann@example.org" && user.emailVerified && !user.hasPassword, user);
  check("the identity is linked", user.identities.length === 1 && identity.provider.id === "acme" && identity.email === "ann@example.org", user);
  const { amr, acr } = claims(await tab.evaluate(() => window.token));
  check("the provider is one factor", amr.join() === "fed" && acr === "aal1", amr, acr);
  const cookies = await tab.context().cookies(app);
  check("the cookie of the flow is gone", cookies.every(({ name }) => !name.startsWith("auth_")), cookies);
  const refresh = cookies.find(({ name }) => name.startsWith("refresh_token"));
  check("the refresh token is in a cookie that scripts cannot read", refresh?.httpOnly && refresh.sameSite === "Strict", cookies);
  const again = await tab.evaluate(() => send("login", exchange));
  check("the code works once", again.code === "CODE_INVALID", again);
  await tab.reload();
  check("the session continues after a reload", (await shown(tab)) === "Session of ann");
}

export async function knownUser(world) {
  const before = await world.register("bert");
  world.accounts.Ann.email = "bert@example.org";
  const tab = await world.device();
  const said = await signIn(tab, "Ann");
  check("a known user signs in, also with another address at the provider", said === "Signed in: ann", said);
  check("the address of the account stays", (await userIn(tab)).email === "ann@example.org");
  check("the owner of the other address gets no identity", (await me(before.accessToken)).identities.length === 0);
  await tab.goto(app);
  await press(tab);
  check("a user whom the provider knows sees no page there", (await shown(tab)) === "Signed in: ann");
}

export async function verifiedAtBothSides(world) {
  const { user } = await world.register("carl");
  world.accounts.Carl = { email: "Carl@Example.org", email_verified: true, preferred_username: "carl1" };
  const tab = await world.device();
  const said = await signIn(tab, "Carl");
  const linked = await userIn(tab);
  check("an address that both sides have verified finds the account", said === "Signed in: carl" && linked.id === user.id && linked.hasPassword, said, linked);
  check("the identity is linked to it", linked.identities.length === 1, linked);
  check("a mail tells the user of the account", await world.isMailed("carl@example.org", 2, "A sign-in provider was linked"));
}

export async function notVerifiedHere(world) {
  const before = await world.register("dora", { isVerified: false });
  world.accounts.Dora = { email: "dora@example.org", email_verified: true, preferred_username: "dora" };
  const tab = await world.device();
  const said = await signIn(tab, "Dora");
  check("an address that was not verified here is refused", said === "IDENTITY_UNLINKED", said);
  check("nothing is linked", (await me(before.accessToken)).identities.length === 0);
  const cookies = await tab.context().cookies(app);
  check("no user is signed in", cookies.every(({ name }) => !name.startsWith("refresh_token")), cookies);
  check("the password still works", (await login("dora")).login?.user.id === before.user.id);
}

export async function notVerifiedAtTheProvider(world) {
  const before = await world.register("emil");
  const claims = { false: { email_verified: false }, missing: {} };
  for (const [what, verified] of Object.entries(claims)) {
    const name = `Emil ${what}`;
    world.accounts[name] = { email: "emil@example.org", preferred_username: "emil", ...verified };
    const tab = await world.device();
    const said = await signIn(tab, name);
    const user = await userIn(tab);
    check(`email_verified: ${what}: a new account without the address`, /^Signed in: emil-\w{8}$/.test(said) && user.id !== before.user.id && user.email === null, said, user);
  }
  check("the owner of the address gets no identity", (await me(before.accessToken)).identities.length === 0);

  world.accounts.Fay = { email: "fay@example.org", preferred_username: "fay" };
  const tab = await world.device();
  await signIn(tab, "Fay");
  const { email, emailVerified } = await userIn(tab);
  check("an address that no account has must be verified", email === "fay@example.org" && !emailVerified, email, emailVerified);
  check("a mail asks for it", await world.isMailed("fay@example.org", 1, "Confirm your e-mail address"));
}

export async function untrustedProvider(world) {
  const before = await world.register("gwen");
  world.accounts.Gwen = { email: "gwen@example.org", email_verified: true, preferred_username: "gwen" };
  const tab = await world.device();
  await press(tab, "Globex");
  await choose(tab, "Gwen");
  const said = await shown(tab);
  const { id, identities } = await userIn(tab);
  check("the address of a provider that is not trusted finds no account", said.startsWith("Signed in: gwen-") && id !== before.user.id, said);
  check("claims are read from the user info", identities[0].email === "gwen@example.org", identities);
}

/** The server was restarted with `PROVIDER_TAKEOVER=true`. */
export async function takeover(world) {
  const before = (await login("dora")).login;
  const tab = await world.device();
  const said = await signIn(tab, "Dora");
  const user = await userIn(tab);
  check("the user takes over the account", said === "Signed in: dora" && user.id === before.user.id, said, user);
  check("the address is verified, and the password removed", user.emailVerified && !user.hasPassword && user.identities.length === 1, user);
  check("the old password does not work", (await login("dora", PASSWORD)).code === "INVALID_CREDENTIALS");
  check("old access tokens do not work", (await send("{ me { id } }", undefined, before.accessToken)).code === "UNAUTHENTICATED");
  const refreshed = await send(REFRESH, { refreshToken: before.refreshToken });
  check("old sessions have ended", refreshed.code === "SESSION_REVOKED", refreshed);
  const subjects = (await world.subjectsTo("dora@example.org", 4)).slice(1).sort();
  const expected = ["A sign-in provider was linked", "Choose a new password", "The password of your account was removed"];
  check("mails tell the user, also how to choose a password after the old one was tried", subjects.join() === expected.join(), subjects);
}
