// Opens the explorer in Chromium, registers, runs `me`, reloads, uses a second tab, lets the token expire and signs out. Uses an authenticator
// app, passkeys, another provider and sign-in by mail. No request may leave the machine, and the console must have no errors or warnings. A failure leaves a screenshot in the
// folder of the binary.
// node explorer.mjs <binary> graphiql|small [<folder for the manual's screenshots>]

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSchema, getNamedType, isInputObjectType } from "graphql";
import { chromium } from "playwright-core";
import { startedCeremony } from "../../../playground/src/passkey.js";
import { isSecret } from "../../../playground/src/secrets.js";
import { assert, fail, failures, finish, pass } from "./checks.mjs";
import { start } from "./server.mjs";
import { startProvider } from "./small_provider.mjs";
import { codeOf } from "./totp.mjs";
import { Authenticator } from "./virtual_authenticator.mjs";

const [binary, kind, screenshots] = process.argv.slice(2);
const port = 8126;
const home = `http://localhost:${port}`;

/** Selectors and actions of the two explorers. */
const page = {
  graphiql: {
    ready: (tab) => tab.locator(".graphiql-query-editor .view-line").first().waitFor(),
    choose: (tab, name) => tab.getByRole("tablist").getByRole("button", { name, exact: true }).click(),
    run: (tab) => tab.getByRole("button", { name: /^Execute query/ }).click(),
    write: (tab, text) => write(tab, VARIABLES, text),
    answer: ".result-window",
  },
  small: {
    ready: (tab) => tab.getByRole("button", { name: "Register", exact: true }).waitFor(),
    choose: (tab, name) => tab.getByRole("button", { name, exact: true }).click(),
    run: (tab) => tab.getByRole("button", { name: /Run/ }).click(),
    write: (tab, text) => tab.locator("#variables").fill(text),
    answer: "#answer",
  },
}[kind];

/** Runs `act` and waits until the element at `selector` contains `expected`. */
async function step(tab, name, act, selector, expected) {
  try {
    await act();
    const reads = ([at, text]) => document.querySelector(at)?.textContent.replaceAll("\u00a0", " ").includes(text);
    await tab.waitForFunction(reads, [selector, expected], { timeout: 15000 });
    pass();
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
}

/** Opens a tab. External requests, console messages and uncaught errors in it are failures. */
async function open(context, address = home) {
  const tab = await context.newPage();
  tab.on("request", (request) => {
    if (!request.url().startsWith(`${address}/`) && !request.url().startsWith("data:")) fail(`unexpected request to ${request.url()}`);
  });
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) fail(`console message: ${message.text()}`);
  });
  tab.on("pageerror", (error) => fail(`uncaught error: ${error}`));
  await tab.goto(address);
  await page.ready(tab);
  return tab;
}

const isSignedIn = "[data-signed-in]";

async function testExplorer(context) {
  const tab = await open(context);
  const run = () => page.run(tab);
  const choose = (name) => () => page.choose(tab, name);

  await step(tab, "initially not signed in", () => {}, isSignedIn, "Not signed in");
  for (const [name, path] of Object.entries({ Mails: "/dev/mail", "REST and OAuth": "/docs", Schema: "/schema.graphql" })) {
    const link = tab.getByRole("link", { name, exact: true });
    assert(`the page links to ${path}`, (await link.getAttribute("href")).endsWith(path));
  }
  const signIn = tab.getByRole("link", { name: "Sign in", exact: true });
  const target = new URL(await signIn.getAttribute("href"), home);
  assert("the page links to the sign-in page, which returns to it", target.pathname === "/sign-in" && target.searchParams.get("return_to") === `${home}/`);
  assert("the page does not expose the key of the mails", !(await tab.content()).includes("key="));
  await step(tab, "register", run, page.answer, '"accessToken"');
  await step(tab, "the page shows the signed-in user", () => {}, isSignedIn, "Signed in as grace");
  assert("a signed-in user sees no link to the sign-in page", !(await signIn.isVisible()));
  await choose("Me")();
  await step(tab, "me", run, page.answer, '"username": "grace"');
  if (screenshots) {
    for (const colorScheme of ["dark", "light"]) {
      await tab.emulateMedia({ colorScheme });
      await step(tab, `me, ${colorScheme}`, run, page.answer, '"username": "grace"');
      await tab.screenshot({ path: join(screenshots, `explorer-${colorScheme}.png`) });
    }
  }

  const stored = await tab.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert("scripts find no token in the browser's storage", !stored.includes("eyJ"));
  const kept = await tab.evaluate(() => JSON.stringify({ ...localStorage }));
  assert("the password is not stored beyond the tab", !kept.includes("correct horse"));
  await step(tab, "a reload does not sign out", () => tab.reload(), isSignedIn, "Signed in as grace");
  await page.ready(tab);
  const other = await open(context);
  await step(other, "another tab is signed in too", () => {}, isSignedIn, "Signed in as grace");

  if (kind === "graphiql") await graphiqlOnly(tab);

  await choose("Refresh")();
  await step(tab, "refresh by cookie", run, page.answer, '"accessToken"');

  const signOut = () => tab.getByRole("button", { name: "Sign out" }).click();
  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  await step(other, "another tab signs out too", () => {}, isSignedIn, "Not signed in");
  await choose("Me")();
  await step(tab, "me after signing out", run, page.answer, "TOKEN_MISSING");
  await step(tab, "the error's hint is shown", () => {}, page.answer, "The request has no `Authorization` header.");
  await choose("Refresh")();
  await step(tab, "the session is revoked on the server", run, page.answer, "SESSION_NOT_FOUND");
  await choose("Login")();
  await step(tab, "login", run, page.answer, '"lastLoginAt"');
  await step(tab, "signed in again", () => {}, isSignedIn, "Signed in as grace");
  await step(other, "another tab signs in too", () => {}, isSignedIn, "Signed in as grace");

  await choose("Me")();
  const sent = [];
  tab.on("request", (request) => request.url() === `${home}/graphql` && sent.push(request.postDataJSON().query));
  // As after `ACCESS_TOKEN_EXPIRE_MINUTES`: the server rejects the token of the next request.
  const reject = (route) => route.continue({ headers: { ...route.request().headers(), authorization: "Bearer expired" } });
  await tab.route("**/graphql", reject, { times: 1 });
  await step(tab, "an operation with an expired token succeeds", run, page.answer, '"username": "grace"');
  const isRefreshed = sent.length === 3 && sent[0] === sent[2] && sent[1].includes("refreshToken");
  assert("one refresh, and the operation once more", isRefreshed);
  await tab.route("**/graphql", reject);
  await step(tab, "an operation that is rejected again fails", run, page.answer, "TOKEN_INVALID");
  assert("it is not sent a third time", sent.length === 6);
  await tab.unroute("**/graphql");

  await endSessions();
  await step(tab, "a session that has ended signs out", run, isSignedIn, "Signed out: the session has ended");
}

/** Ends all sessions of the user in another client. */
async function endSessions() {
  const send = async (query, token) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query }) });
    return (await response.json()).data;
  };
  const { login } = await send('mutation { login(input: { username: "grace", password: "correct horse battery", tokenDelivery: BODY }) { accessToken } }');
  const { logout } = await send("mutation { logout(input: { everywhere: true }) { revokedSessions } }", login.accessToken);
  assert("the sessions are ended", logout.revokedSessions > 1);
}

const QUERY = ".graphiql-query-editor";
const VARIABLES = 'section[aria-label="Variables"]';

/** Replaces the text of an editor of GraphiQL. */
async function write(tab, editor, text) {
  await tab.locator(`${editor} .monaco-editor:visible`).click();
  await tab.keyboard.press("ControlOrMeta+A");
  await tab.keyboard.press("Delete");
  await tab.keyboard.insertText(text);
}

/** Runs the tab with these variables. Returns the response. */
async function runTab(tab, name, input) {
  await page.choose(tab, name);
  if (input !== undefined) await page.write(tab, JSON.stringify({ input }));
  return answerOf(tab, name, () => page.run(tab));
}

/** The response to the operation that `act` sends. */
async function answerOf(tab, name, act) {
  const isAnswer = (response) => response.url() === `${home}/graphql` && new RegExp(` ${name}\\b`).test(response.request().postData());
  const [response] = await Promise.all([tab.waitForResponse(isAnswer), act()]);
  return response.json();
}

const isFullyVisible = ({ x, y, width, height }) => x >= 0 && y >= 0 && x + width <= 1280 && y + height <= 720;

/** Sets up an authenticator app and signs in with it, by the tabs alone. */
async function testSecondFactor(context) {
  const tab = await open(context);
  const run = (name, input) => runTab(tab, name, input);
  const qrCode = tab.getByRole("img", { name: "QR code for the authenticator app" });

  const user = { username: "ada", password: "correct horse battery" };
  await step(tab, "register", () => run("Register", user), isSignedIn, "Signed in as ada");
  const { secret } = (await run("Enroll")).data.startTotpEnrollment;
  await qrCode.waitFor();
  await qrCode.evaluate((image) => image.decode());
  const box = await qrCode.boundingBox();
  assert("the QR code is visible", kind === "small" || (isFullyVisible(box) && box.height > 100));
  const { recoveryCodes } = (await run("Confirm", { code: codeOf(secret) })).data.confirmTotpEnrollment;
  await qrCode.waitFor({ state: "detached" });
  assert("the QR code disappears with the next response", recoveryCodes.length === 10);

  const signOut = () => tab.getByRole("button", { name: "Sign out" }).click();
  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  const { mfa } = (await run("Login", user)).errors[0].extensions;
  const code = codeOf(secret, 1);
  await step(tab, "a code signs in", () => run("Verify", { token: mfa.token, factor: { totpCode: code } }), isSignedIn, "Signed in as ada");
  const kept = await tab.evaluate(() => JSON.stringify({ ...localStorage }));
  assert("neither secrets nor codes are stored beyond the tab", ![secret, mfa.token, code, ...recoveryCodes].some((text) => kept.includes(text)));
  const stored = await tab.evaluate(() => JSON.stringify({ ...sessionStorage }));
  assert("the secret and the recovery codes are stored nowhere", ![secret, ...recoveryCodes].some((text) => stored.includes(text)));
  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  await tab.close();
}

/** Signs in with a provider, links and unlinks it, by the tabs and the addresses that they say. */
async function testProviders(context) {
  const tab = await open(context);
  const signOut = () => tab.getByRole("button", { name: "Sign out" }).click();
  /** Opens an address, chooses a user of the provider, and returns the code that comes back. */
  const visit = async (address, user) => {
    const other = await context.newPage();
    await other.goto(address);
    await other.getByRole("link", { name: user }).click();
    await page.ready(other);
    const code = new URL(other.url()).searchParams.get("code");
    await other.close();
    return code;
  };
  const { startUrl } = (await runTab(tab, "Providers")).data.serverInfo.identityProviders[0];
  const query = new URLSearchParams({ return_to: `${home}/`, code_challenge: challenge });
  const code = await visit(`${startUrl}?${query}`, "ada");
  const signIn = () => runTab(tab, "ProviderLogin", { code, codeVerifier: verifier });
  await step(tab, "a provider signs in", signIn, isSignedIn, "Signed in as ada");
  const [first] = (await runTab(tab, "Providers")).data.me.identities;
  assert("the linked account is listed", first.email === "ada@example.org");
  const { url } = (await runTab(tab, "LinkProvider", { providerId: "acme", returnTo: `${home}/`, codeChallenge: challenge })).data.startIdentityLink;
  const linked = (await runTab(tab, "FinishLink", { code: await visit(url, "hedy"), codeVerifier: verifier })).data.finishIdentityLink;
  assert("another account is linked", linked.identity.email === "hedy@example.org");
  const unlinked = (await runTab(tab, "UnlinkProvider", { identityId: first.id })).data.unlinkIdentity;
  assert("an account is unlinked", unlinked.unlinkedIdentityId === first.id);
  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  await tab.close();
}

/** Signs in by the code of a mail. */
async function testMail(context) {
  const tab = await open(context);
  const email = "mail@example.org";
  await runTab(tab, "Register", { username: "mail", email, password: "correct horse battery" });
  await step(tab, "sign out", () => tab.getByRole("button", { name: "Sign out" }).click(), isSignedIn, "Not signed in");
  await runTab(tab, "RequestMail", { email, codeChallenge: challenge });
  const code = await mailedCode(email);
  const signIn = () => runTab(tab, "MailLogin", { proof: { emailAndCode: { email, code } }, codeVerifier: verifier });
  await step(tab, "the code of a mail signs in", signIn, isSignedIn, "Signed in as mail");
  const kept = await tab.evaluate(() => JSON.stringify({ ...localStorage }));
  assert("neither code nor verifier are stored beyond the tab", !kept.includes(code) && !kept.includes(verifier));
  await step(tab, "sign out", () => tab.getByRole("button", { name: "Sign out" }).click(), isSignedIn, "Not signed in");
  await tab.close();
}

/** Those of the tabs: RFC 7636, appendix B. */
const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** The code of the mail to an address. */
async function mailedCode(email) {
  for (let tries = 0; tries < 100; tries += 1) {
    const mails = (await (await fetch(home + stop.mails)).text()).replaceAll("&#x2f;", "/").split("<article");
    const mail = mails.find((mail) => mail.includes(`To ${email},`) && mail.includes("/sign-in?token="));
    if (mail) return mail.match(/\b(\d{4}) ?(\d{4})\b/).slice(1).join("");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no mail to ${email}`);
}

const creationButton = (tab) => tab.getByRole("button", { name: "Create a passkey in this browser" });
const useButton = (tab) => tab.getByRole("button", { name: "Use a passkey of this browser" });
/** What the explorer says about the browser's part. */
const passkeyMessage = { graphiql: ".passkey [role=status]", small: "#passkey-message" }[kind];

/** Adds a passkey, signs in with it, proves the identity with it and deletes it, by the tabs and the buttons below the response. */
async function testPasskeys(context) {
  const tab = await open(context);
  const run = (name, input) => runTab(tab, name, input);
  const authenticator = await Authenticator.attach(tab);
  const signOut = () => tab.getByRole("button", { name: "Sign out" }).click();
  const secrets = [];
  /** The history has only the latest operations. */
  const expectHistory = async (...names) => {
    const kept = await tab.evaluate(() => JSON.stringify({ ...localStorage }));
    const isKept = kind === "small" || names.every((name) => kept.includes(`mutation ${name}(`));
    assert(`the history has ${names} without secrets`, isKept && !secrets.some((text) => kept.includes(text)));
  };

  const user = { username: "alan", password: "correct horse battery" };
  await step(tab, "register", () => run("Register", user), isSignedIn, "Signed in as alan");
  const first = (await run("AddPasskey")).data.startPasskeyRegistration;
  await creationButton(tab).waitFor();
  assert("the button is visible", isFullyVisible(await creationButton(tab).boundingBox()));
  const added = (await answerOf(tab, "FinishPasskey", () => creationButton(tab).click())).data.finishPasskeyRegistration;
  assert("the passkey is added", added.user.mfaMethods.includes("PASSKEY") && added.recoveryCodes.length === 10);
  secrets.push(first.ceremonyToken, ...added.recoveryCodes, ...(await authenticator.credentialIds()));
  await creationButton(tab).waitFor({ state: "hidden" });
  await step(tab, "the response is shown", () => {}, page.answer, added.recoveryCodes[9]);
  await expectHistory("FinishPasskey");
  if (kind === "graphiql") await expectUnderlined(tab, "a credential is valid in the variables", false);

  await run("AddPasskey");
  await step(tab, "a second passkey is refused", () => creationButton(tab).click(), passkeyMessage, "already has a passkey");
  assert("the explanation is visible", isFullyVisible(await tab.locator(passkeyMessage).boundingBox()));
  await page.choose(tab, "Passkeys");
  await creationButton(tab).waitFor({ state: "hidden" });
  await step(tab, "the passkey is listed", () => page.run(tab), page.answer, added.passkey.id);
  const renamed = await run("RenamePasskey", { passkeyId: added.passkey.id, name: "Key of Alan" });
  assert("the passkey is renamed", renamed.data.renamePasskey.passkey.name === "Key of Alan");

  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  await run("PasskeyLogin");
  await authenticator.setVerified(false);
  await step(tab, "a refusal is explained", () => useButton(tab).click(), passkeyMessage, "cancelled or took too long");
  await authenticator.setVerified(true);
  await step(tab, "a passkey signs in", () => useButton(tab).click(), isSignedIn, "Signed in as alan");

  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  const { mfa } = (await run("Login", user)).errors[0].extensions;
  secrets.push(mfa.token);
  await run("VerifyPasskey", { mfaToken: mfa.token });
  await step(tab, "a passkey is the second factor", () => useButton(tab).click(), isSignedIn, "Signed in as alan");
  await run("VerifyPasskey", null);
  await step(tab, "a passkey proves the identity", () => useButton(tab).click(), page.answer, '"reauthenticate"');
  const deleted = await run("DeletePasskey", { passkeyId: added.passkey.id });
  assert("the passkey is deleted", deleted.data.deletePasskey.deletedPasskeyId === added.passkey.id);
  for (let tries = 0; tries < 20 && (await authenticator.credentialIds()).length > 0; tries += 1) await tab.waitForTimeout(250);
  assert("the password manager deletes it too", (await authenticator.credentialIds()).length === 0);

  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  const { ceremonyToken } = (await run("PasskeyRegister")).data.startPasskeyRegistration;
  const { registerWithPasskey } = (await answerOf(tab, "FinishPasskeyRegister", () => creationButton(tab).click())).data;
  await step(tab, "an account without a password is signed in", () => {}, isSignedIn, "Signed in as hedy");
  secrets.push(ceremonyToken, ...registerWithPasskey.recoveryCodes);

  await expectHistory("Verify", "Reauthenticate", "FinishPasskeyRegister");
  const stored = await tab.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const { recoveryCodes } = registerWithPasskey;
  assert("the recovery codes are stored nowhere", ![...added.recoveryCodes, ...recoveryCodes].some((text) => stored.includes(text)));
  await step(tab, "sign out", signOut, isSignedIn, "Not signed in");
  await tab.close();
}

/** Operations of the user may have an alias, and literals instead of variables. */
function testLiterals() {
  const query = `mutation { mine: startPasskeyVerification(input: { mfaToken: "of Login" }) { ceremonyToken options } }`;
  const mine = { ceremonyToken: "of mine", options: { challenge: "any", allowCredentials: [{ id: "any" }] } };
  const { operation, input } = startedCeremony({ query }, { mine });
  assert("a literal MFA token is sent on", operation === "Verify" && input("any").token === "of Login");
}

/** Pages that cannot use the passkeys of the server say why. */
async function testPasskeysElsewhere() {
  await restart({ PUBLIC_URL: "https://hallpass.example", SECRET_KEY: "the secret key of a test that is long enough" });
  const context = await browser.newContext();
  for (const [address, expected] of [
    [home, "bound to hallpass.example"],
    [`http://127.0.0.1:${port}`, "Open https://hallpass.example instead"],
  ]) {
    const tab = await open(context, address);
    await page.choose(tab, "PasskeyLogin");
    const start = async () => {
      await page.run(tab);
      if (address === home) await useButton(tab).click();
    };
    await step(tab, `${address} cannot use passkeys`, start, passkeyMessage, expected);
  }
  await context.close();
}

/** A user who must set up a second factor first is signed in, and can do so. */
async function testRequiredSecondFactor() {
  await restart({ MFA_REQUIRED_ROLES: "user" });
  const context = await browser.newContext();
  const tab = await open(context);
  await step(tab, "register with a role that requires a second factor", () => page.run(tab), isSignedIn, "Signed in as grace");
  await page.choose(tab, "Me");
  await step(tab, "most fields are refused", () => page.run(tab), page.answer, "MFA_ENROLLMENT_REQUIRED");
  await page.choose(tab, "Enroll");
  await step(tab, "the enrollment starts", () => page.run(tab), page.answer, '"secret"');
  await context.close();
}

/** The history is there in later tabs, without secrets. `restart` starts another server at the same address. */
async function testHistory(context, restart) {
  const tab = await open(context);
  const password = "correct horse battery";
  const documents = {
    Literal: `mutation Literal { # password: ${password}
      login(input: { username: "grace", password: "${password}" }) { expiresIn } }`,
    // On one line, because the editor closes a bracket at the end of a line.
    Variable:
      `mutation Variable($user: String!, $word: String! = "${password}") ` +
      "{ login(input: { username: $user, password: $word }) { lifetime: expiresIn } }",
  };
  await write(tab, QUERY, documents.Literal);
  await write(tab, VARIABLES, "{}");
  await step(tab, "an operation with a secret succeeds", () => page.run(tab), page.answer, '"expiresIn"');
  await write(tab, QUERY, documents.Variable);
  const variables = JSON.stringify({ user: "grace", word: password });
  await write(tab, VARIABLES, variables);
  // The history has what the tab has, which follows the editor with a delay.
  const isCopied = (expected) => JSON.parse(sessionStorage.getItem("graphiql:tabState")).tabs[0].variables === expected;
  await tab.waitForFunction(isCopied, variables, { timeout: 15000 });
  await step(tab, "an operation with a secret variable succeeds", () => page.run(tab), page.answer, '"lifetime"');
  const stored = await tab.evaluate(() => JSON.stringify({ ...localStorage }));
  assert("the history is stored", Object.keys(documents).every((name) => stored.includes(`mutation ${name}`)));
  assert("secrets are not stored with it", !/correct horse|eyJ/.test(stored));
  await tab.close();

  const items = ".graphiql-history-item-label";
  const later = await openHistory(context);
  const choose = (name) => () => later.locator(items, { hasText: name }).first().click();
  await step(later, "a later tab has the history", choose("Literal"), QUERY, 'password: "" }');
  await step(later, "variables are stored without secrets", choose("Variable"), VARIABLES, '"user": "grace"}');
  await restart();
  const other = await openHistory(context);
  assert("another server has a history of its own", (await other.locator(items).count()) === 0);
}

async function openHistory(context) {
  const tab = await open(context);
  await tab.getByRole("button", { name: "Show History" }).click();
  await tab.locator(".graphiql-history").waitFor();
  return tab;
}

/** `grace` signs in on the sign-in page, in a browser that is signed out. */
async function testSignInPage(context) {
  const tab = await open(context);
  await tab.getByRole("link", { name: "Sign in", exact: true }).click();
  await tab.getByLabel("Username or e-mail address").fill("grace");
  await tab.getByLabel("Password", { exact: true }).fill("correct horse battery");
  const signIn = () => tab.getByRole("button", { name: "Sign in", exact: true }).click();
  await step(tab, "the sign-in page returns to the explorer, which is signed in", signIn, isSignedIn, "Signed in as grace");
  await context.close();
}

/** All strings of the schema that are not secret, so that a new one is decided on. */
function testSecrets() {
  const types = Object.values(buildSchema(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8")).getTypeMap());
  const inputs = types.filter((type) => !type.name.startsWith("__")).flatMap((type) => {
    const fields = Object.values(type.getFields?.() ?? {});
    return isInputObjectType(type) ? fields : fields.flatMap(({ args }) => args ?? []);
  });
  const texts = inputs.filter(({ type }) => ["String", "ID", "JSON"].includes(String(getNamedType(type)))).map(({ name }) => name);
  const harmless = [
    "actorId", "after", "before", "email", "firstName", "id", "identityId", "invitationId", "ipAddress", "lastName", "name", "newEmail",
    "passkeyId", "passkeyName", "providerId", "reason", "rememberedDeviceId", "returnTo", "role", "roles", "search", "sessionId", "userId", "username",
  ];
  const others = texts.filter((name) => !isSecret(name) && !harmless.includes(name));
  assert(`secret or harmless? ${others}`, others.length === 0);
  assert("what is harmless stays in the history", !harmless.some(isSecret));
}

async function expectUnderlined(tab, name, expected) {
  const isUnderlined = async () => (await tab.locator(".squiggly-error:visible").count()) > 0;
  // The editor's workers validate asynchronously. Wait for the expected state, and check at least twice.
  for (let tries = 0; tries < 20 && (tries < 2 || (await isUnderlined()) !== expected); tries += 1) await tab.waitForTimeout(250);
  assert(name, (await isUnderlined()) === expected);
}

async function graphiqlOnly(tab) {
  const docs = tab.locator(".graphiql-plugin");
  await tab.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const openType = () => docs.getByText("ErrorExtensions", { exact: true }).click();
  await step(tab, "the docs describe errors", openType, ".graphiql-plugin", "Decide by this, never by the message.");
  await tab.getByRole("button", { name: "Hide Documentation Explorer" }).click();

  await page.choose(tab, "Me");
  await tab.getByRole("button", { name: "Headers" }).click();
  const headers = tab.locator('section[aria-label="Headers"] .monaco-editor:visible');
  await headers.click();
  await tab.keyboard.insertText('{ "authorization": "Bearer of bad news" }');
  await step(tab, "a custom header takes precedence", () => page.run(tab), page.answer, "TOKEN_INVALID");
  await step(tab, "an invalid custom header keeps the user signed in", () => {}, isSignedIn, "Signed in as grace");
  await headers.click();
  await tab.keyboard.press("ControlOrMeta+A");
  await tab.keyboard.press("Delete");
  await tab.getByRole("button", { name: "Variables" }).click();

  for (const colorScheme of ["dark", "light"]) {
    await tab.emulateMedia({ colorScheme });
    const isFollowed = (isDark) => {
      const isBright = (selector, property) => getComputedStyle(document.querySelector(selector))[property].match(/\d+/g)[0] > 128;
      return isBright(".graphiql-container", "backgroundColor") !== isDark && isBright(".graphiql-query-editor .mtk1", "color") === isDark;
    };
    await tab.waitForFunction(isFollowed, colorScheme === "dark", { timeout: 15000 });
    pass();
  }

  for (const name of ["Register", "Login"]) {
    await page.choose(tab, name);
    await tab.locator('section[aria-label="Variables"] .view-line').first().waitFor();
    await expectUnderlined(tab, `nothing in ${name} is underlined`, false);
  }

  // Fields and variables with a default value are optional; all others are required.
  const variables = (text) => write(tab, VARIABLES, text);
  await page.choose(tab, "Register");
  await variables('{ "input": { "username": "grace", "password": "correct horse" } }');
  await expectUnderlined(tab, "an input without optional fields is valid", false);
  await variables('{ "input": { "username": "grace" } }');
  await expectUnderlined(tab, "a missing password is underlined", true);
  await page.choose(tab, "ServerInfo");
  await write(tab, QUERY, "query ServerInfo($yes: Boolean! = true, $no: Boolean!) { serverInfo @include(if: $yes) @skip(if: $no) { mailEnabled } }");
  await variables('{ "no": false }');
  await expectUnderlined(tab, "a variable with a default value is optional", false);
  await variables("{}");
  await expectUnderlined(tab, "a variable without a default value is required", true);
}

const provider = await startProvider({ users: ["ada", "hedy"] });
let stop = await start(binary, port, { BCRYPT_COST: "10", EMAIL_SIGN_IN: "true", ...provider.settings });
/** Starts an empty server, which by default has another name. */
async function restart(settings = { PUBLIC_URL: `http://127.0.0.1:${port}`, ALLOWED_ORIGINS: home }) {
  await stop();
  stop = await start(binary, port, { BCRYPT_COST: "10", ...settings });
}
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  // Only this machine resolves, so no request can leave it. Chromium's sandbox does not work for root.
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme: "light" });
try {
  await testExplorer(context);
  await testSignInPage(await browser.newContext());
  await testSecondFactor(context);
  await testPasskeys(context);
  await testProviders(context);
  await testMail(context);
  testLiterals();
  if (kind === "graphiql") {
    testSecrets();
    await testHistory(context, restart);
  }
  await testRequiredSecondFactor();
  await testPasskeysElsewhere();
} catch (error) {
  fail(error.message);
}
if (failures() > 0) {
  const path = join(dirname(binary), "explorer-failed.png");
  await context.pages()[0]?.screenshot({ path });
  console.log(`screenshot: ${path}`);
}
await browser.close();
await stop();
provider.stop();
finish({ graphiql: 96, small: 75 }[kind]);
