// Passkeys in Chromium, with its virtual authenticator: the React example of docs/passkeys.md, and what a page of another origin can do. A
// failure leaves a screenshot in the folder of the binary.
// node passkeys.mjs <binary>

import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, parse, validate } from "graphql";
import { chromium } from "playwright-core";
import { assert, check, fail, finish } from "./checks.mjs";
import { createManualApp } from "./manual_app.mjs";
import { blocks, page } from "./markdown.mjs";
import { atExit, start } from "./server.mjs";
import { Authenticator, recordRequests } from "./virtual_authenticator.mjs";

const binary = process.argv[2];
const PORTS = { hallpass: 8168, app: 8169, page: 8170, other: 8171 };
const home = `http://localhost:${PORTS.hallpass}`;
/** The app of the manual, an empty page that may use passkeys, and one that may not. */
const origins = Object.fromEntries(["app", "page", "other"].map((name) => [name, `http://localhost:${PORTS[name]}`]));
const PASSWORD = "correct horse battery";
const manual = page(fileURLToPath(new URL("../../../docs/passkeys.md", import.meta.url)));

// Shows the components of the manual, and gives the test what scripts of the app have.
const APP = `import { ApolloProvider } from "@apollo/client/react";
import { useHallpass, useSession } from "@hallpass/client/react";
import { apollo } from "./apollo";
import { AddPasskey, SignInWithPasskey } from "./Passkeys";
import { SignIn } from "./SignIn";

export default function App() {
  const hallpass = useHallpass();
  const { status, user } = useSession();
  Object.assign(window, { hallpass });
  if (status === "loading") return null;
  return (
    <ApolloProvider client={apollo}>
      {user ? <><h1>Hello {user.username}</h1><AddPasskey /><button onClick={() => hallpass.logout()}>Sign out</button></> : <><SignIn /><SignInWithPasskey /></>}
    </ApolloProvider>
  );
}
`;

const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
const OPTIONS = "{ ceremonyToken options }";
const START = `mutation { startPasskeyRegistration ${OPTIONS} }`;
const ADD = "mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) { passkey { id } acceptedCredentials { rpId userId allAcceptedCredentialIds } } }";
const START_ACCOUNT = `mutation($input: StartPasskeyRegistrationInput) { startPasskeyRegistration(input: $input) ${OPTIONS} }`;
const CREATE_ACCOUNT =
  "mutation($input: RegisterWithPasskeyInput!) { registerWithPasskey(input: $input) { accessToken user { hasPassword } passkey { id name } recoveryCodes } }";
const SET_PASSWORD = "mutation($input: SetPasswordInput!) { setPassword(input: $input) { user { hasPassword } } }";
const START_LOGIN = `mutation { startPasskeyLogin ${OPTIONS} }`;
const LOGIN = "mutation($input: FinishPasskeyLoginInput!) { finishPasskeyLogin(input: $input) { accessToken user { id username } } }";
const PASSWORD_LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
const START_VERIFICATION = `mutation($input: StartPasskeyVerificationInput) { startPasskeyVerification(input: $input) ${OPTIONS} }`;
const VERIFY_MFA = "mutation($input: VerifyMfaInput!) { verifyMfa(input: $input) { accessToken } }";
const REAUTHENTICATE = "mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { accessToken } }";
const DELETE = "mutation($input: DeletePasskeyInput!) { deletePasskey(input: $input) { deletedPasskeyId user { passkeys { id } } acceptedCredentials { rpId userId allAcceptedCredentialIds } } }";

/** Gives a page functions for the tests. It runs in the browser. */
function install(home) {
  window.send = async (query, input, token) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${home}/graphql`, { method: "POST", credentials: "include", headers, body: JSON.stringify({ query, variables: { input } }) });
    const { data, errors } = await response.json();
    return { ...data, code: errors?.[0].extensions.code, mfa: errors?.[0].extensions.mfa };
  };
  window.create = async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return (await navigator.credentials.create({ publicKey })).toJSON();
  };
  window.get = async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  };
}

/** Serves an empty page. */
async function servePage(port) {
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>Page</title>"));
  await new Promise((resolve) => server.listen(port, "localhost", resolve));
  atExit(() => server.close());
}

/** Sends an operation without a browser. */
async function send(query, input, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables: { input } }) });
  const { data, errors } = await response.json();
  return { ...data, code: errors?.[0].extensions.code };
}

/** Runs a scenario in a browser of its own, with its own authenticator. */
async function scenario(name, origin, run) {
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  const tab = await context.newPage();
  tab.on("pageerror", (error) => fail("an exception in the page", String(error)));
  try {
    const authenticator = await Authenticator.attach(tab);
    authenticator.respondsTo = () => true;
    await tab.exposeFunction("beforeRequest", (mediation) => authenticator.setPresent(authenticator.respondsTo(mediation)));
    await tab.addInitScript(recordRequests);
    await tab.addInitScript(install, home);
    await tab.goto(origin);
    await run(tab, authenticator);
  } catch (error) {
    fail(name, error.message);
    await tab.screenshot({ path: join(dirname(binary), `passkeys-${name.replaceAll(/\W+/g, "-")}.png`) });
  }
  await context.close();
}

/** Registers a user with a password and a passkey. Returns the passkey, and the list for the password manager. */
async function registerUser(tab, username) {
  const result = await tab.evaluate(async ([username, password, REGISTER, START, ADD]) => {
    const { register } = await send(REGISTER, { username, password });
    const { startPasskeyRegistration } = await send(START, undefined, register.accessToken);
    const { ceremonyToken, options } = startPasskeyRegistration;
    const added = await send(ADD, { ceremonyToken, credential: await create(options), name: "Laptop" }, register.accessToken);
    return { accepted: added.finishPasskeyRegistration?.acceptedCredentials, passkey: added.finishPasskeyRegistration?.passkey };
  }, [username, PASSWORD, REGISTER, START, ADD]);
  assert(`${username} has a passkey`, result.passkey);
  return result;
}

/** Sends a GraphQL operation from the page. */
const sendFrom = (tab, query, input, token) => tab.evaluate(([query, input, token]) => send(query, input, token), [query, input, token]);

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

async function testExample(tab, authenticator) {
  const hello = tab.getByRole("heading", { name: "Hello ada" });
  // In development, React runs effects twice, so a conditional request may be replaced by another one.
  const requests = () => tab.evaluate(() => window.requests.filter((mediation, index, all) => mediation !== all[index - 1]).join());
  const waitFor = async (expected) => until(async () => (await requests()) === expected);
  await tab.getByLabel("Username").fill("ada");
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Create account" }).click();
  await hello.waitFor();
  await tab.getByRole("button", { name: "Add a passkey" }).click();
  await tab.getByText("Keep these recovery codes.").waitFor();
  check("the example adds a passkey", (await authenticator.credentialIds()).length === 1);
  await tab.getByRole("button", { name: "Add a passkey" }).click();
  await tab.getByRole("alert").filter({ hasText: "already has a passkey" }).waitFor();
  check("it says that the device has a passkey", true);

  authenticator.respondsTo = (mediation) => mediation === "optional";
  await tab.reload();
  await hello.waitFor();
  await tab.getByRole("button", { name: "Sign out" }).click();
  await waitFor("conditional");
  check("the field offers passkeys", (await tab.getByLabel("Username").getAttribute("autocomplete")) === "username webauthn");
  await tab.getByRole("button", { name: "Sign in with a passkey" }).click();
  await hello.waitFor();
  check("the button signs in while conditional UI waits", (await requests()) === "conditional,optional", await requests());

  await tab.getByRole("button", { name: "Sign out" }).click();
  await waitFor("conditional,optional,conditional");
  await authenticator.setVerified(false);
  await tab.getByRole("button", { name: "Sign in with a passkey" }).click();
  await tab.getByRole("alert").filter({ hasText: "No passkey was used." }).waitFor();
  check("a user who is not verified does not sign in", await tab.getByRole("heading", { name: "Create an account" }).isVisible());
  await waitFor("conditional,optional,conditional,optional,conditional");
  check("conditional UI starts again after that", true);

  await authenticator.setVerified(true);
  authenticator.respondsTo = () => true;
  await tab.reload();
  await hello.waitFor();
  check("conditional UI signs in without a click", (await requests()) === "conditional", await requests());
}

async function testAccountWithoutPassword(tab, authenticator) {
  const input = { username: "emma", email: "emma@example.org", firstName: "Emma" };
  const { registerWithPasskey, code } = await tab.evaluate(async ([input, START_ACCOUNT, CREATE_ACCOUNT]) => {
    const { ceremonyToken, options } = (await send(START_ACCOUNT, input)).startPasskeyRegistration;
    return send(CREATE_ACCOUNT, { ...input, ceremonyToken, credential: await create(options), passkeyName: "Phone" });
  }, [input, START_ACCOUNT, CREATE_ACCOUNT]);
  assert(`an account can be created (${code})`, registerWithPasskey);
  const { accessToken: token, user, passkey, recoveryCodes } = registerWithPasskey;
  check("an account without a password can be created", !user.hasPassword && passkey.name === "Phone" && recoveryCodes.length === 10, user);
  check("its user is signed in with two factors", claims(token).acr === "aal2");
  const signedIn = await tab.evaluate(async ([START_LOGIN, LOGIN]) => {
    const { ceremonyToken, options } = (await send(START_LOGIN)).startPasskeyLogin;
    return send(LOGIN, { ceremonyToken, credential: await get(options) });
  }, [START_LOGIN, LOGIN]);
  check("its passkey signs in", signedIn.finishPasskeyLogin?.user.username === "emma", signedIn);
  const { accessToken } = signedIn.finishPasskeyLogin;
  const refused = await sendFrom(tab, DELETE, { passkeyId: passkey.id }, accessToken);
  check("its only passkey cannot be deleted", refused.code === "LAST_SIGN_IN_METHOD", refused);
  const { setPassword } = await sendFrom(tab, SET_PASSWORD, { newPassword: PASSWORD }, accessToken);
  check("it can get a password", setPassword?.user.hasPassword === true);
  const again = await sendFrom(tab, SET_PASSWORD, { newPassword: PASSWORD }, accessToken);
  check("it cannot get another one in this way", again.code === "PASSWORD_ALREADY_SET", again);

  const { deletePasskey } = await sendFrom(tab, DELETE, { passkeyId: passkey.id }, accessToken);
  check("then the passkey can be deleted", deletePasskey?.user.passkeys.length === 0);
  check("the authenticator still has it", (await authenticator.credentialIds()).length === 1);
  await tab.evaluate((accepted) => PublicKeyCredential.signalAllAcceptedCredentials(accepted), deletePasskey.acceptedCredentials);
  await until(async () => (await authenticator.credentialIds()).length === 0);
  check("signalAllAcceptedCredentials removes it", true);
}

async function testSecondFactor(tab, authenticator) {
  const { accepted } = await registerUser(tab, "bea");
  await tab.evaluate((accepted) => PublicKeyCredential.signalAllAcceptedCredentials(accepted), accepted);
  check("signalAllAcceptedCredentials keeps a new passkey", (await authenticator.credentialIds()).join() === accepted.allAcceptedCredentialIds.join());
  const { code, mfa } = await sendFrom(tab, PASSWORD_LOGIN, { username: "bea", password: PASSWORD });
  check("the password alone does not sign in", code === "MFA_REQUIRED" && mfa.methods.includes("PASSKEY"), code, mfa);
  const verified = await tab.evaluate(async ([token, START_VERIFICATION, VERIFY_MFA]) => {
    const { ceremonyToken, options } = (await send(START_VERIFICATION, { mfaToken: token })).startPasskeyVerification;
    const passkey = { ceremonyToken, credential: await get(options) };
    return { allowed: options.allowCredentials.length, ...(await send(VERIFY_MFA, { token, factor: { passkey }, rememberDevice: true })) };
  }, [mfa.token, START_VERIFICATION, VERIFY_MFA]);
  check("password and passkey sign in", Boolean(verified.verifyMfa) && verified.allowed === 1, verified);
  const { amr, acr } = claims(verified.verifyMfa.accessToken);
  check("the access token says how", amr.join() === "pwd,hwk,user,mfa" && acr === "aal2", amr, acr);
}

async function testReauthentication(tab) {
  const { passkey } = await registerUser(tab, "cleo");
  const { mfa } = await sendFrom(tab, PASSWORD_LOGIN, { username: "cleo", password: PASSWORD });
  await tab.evaluate(async ([token, START_VERIFICATION, VERIFY_MFA]) => {
    const { ceremonyToken, options } = (await send(START_VERIFICATION, { mfaToken: token })).startPasskeyVerification;
    await send(VERIFY_MFA, { token, factor: { passkey: { ceremonyToken, credential: await get(options) } }, rememberDevice: true });
  }, [mfa.token, START_VERIFICATION, VERIFY_MFA]);
  const { login } = await sendFrom(tab, PASSWORD_LOGIN, { username: "cleo", password: PASSWORD });
  const refused = await sendFrom(tab, DELETE, { passkeyId: passkey.id }, login.accessToken);
  check("a remembered browser cannot delete a passkey", refused.code === "REAUTHENTICATION_REQUIRED", refused);
  const { reauthenticate } = await tab.evaluate(async ([token, START_VERIFICATION, REAUTHENTICATE]) => {
    const { ceremonyToken, options } = (await send(START_VERIFICATION, null, token)).startPasskeyVerification;
    return send(REAUTHENTICATE, { passkey: { ceremonyToken, credential: await get(options) } }, token);
  }, [login.accessToken, START_VERIFICATION, REAUTHENTICATE]);
  check("reauthenticate with a passkey is a proof with two factors", claims(reauthenticate.accessToken).acr === "aal2");
  const { deletePasskey } = await sendFrom(tab, DELETE, { passkeyId: passkey.id }, reauthenticate.accessToken);
  check("then the passkey can be deleted", deletePasskey?.deletedPasskeyId === passkey.id && deletePasskey.user.passkeys.length === 0);
}

async function testOrigins(tab) {
  await registerUser(tab, "dora");
  const { startPasskeyLogin: own } = await send(START_LOGIN);
  const credential = await tab.evaluate((options) => get(options), own.options);
  const input = { ceremonyToken: own.ceremonyToken, credential, tokenDelivery: "BODY" };
  check("a response of an allowed page signs in", (await send(LOGIN, input)).finishPasskeyLogin?.user.username === "dora");
  check("a copy of it does not", (await send(LOGIN, input)).code === "PASSKEY_INVALID");

  await tab.goto(origins.other);
  const blocked = await tab.evaluate((START_LOGIN) => send(START_LOGIN).then(() => "sent", (error) => error.name), START_LOGIN);
  check("a page of another origin cannot call the server", blocked === "TypeError", blocked);
  // It can get options in another way, and its own server can pass the response on.
  const { startPasskeyLogin: stolen } = await send(START_LOGIN);
  const relayed = await tab.evaluate((options) => get(options), stolen.options);
  const { origin } = JSON.parse(Buffer.from(relayed.response.clientDataJSON, "base64url"));
  const refused = await send(LOGIN, { ceremonyToken: stolen.ceremonyToken, credential: relayed, tokenDelivery: "BODY" });
  check("a response that it obtained is refused", origin === origins.other && refused.code === "PASSKEY_INVALID", origin, refused);
}

async function testList() {
  const response = await fetch(`${home}/.well-known/webauthn`);
  const { origins: listed } = await response.json();
  const isJson = response.headers.get("content-type") === "application/json";
  check("/.well-known/webauthn lists the allowed origins", isJson && [origins.app, origins.page, home].every((origin) => listed.includes(origin)), listed);
  check("and no others", !listed.includes(origins.other), listed);
}

async function testManual() {
  const schema = buildSchema(stop.run(["schema"]));
  const documents = blocks(manual).filter(({ language }) => language === "graphql");
  const errors = documents.flatMap(({ text }) => validate(schema, parse(text)).map(({ message }) => message));
  check("the operations of the manual are valid", documents.length > 10 && errors.length === 0, ...errors);
}

/** Waits for a condition, for five seconds at most. */
async function until(isTrue) {
  const deadline = Date.now() + 5_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not true after 5 s: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const app = createManualApp(`localhost:${PORTS.hallpass}`);
app.write("src/App.tsx", APP);
app.build();
const stop = await start(binary, PORTS.hallpass, { ALLOWED_ORIGINS: `${origins.app},${origins.page}`, BCRYPT_COST: "10" });
const stopApp = await app.serve(PORTS.app);
await servePage(PORTS.page);
await servePage(PORTS.other);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
await scenario("example", origins.app, testExample);
await scenario("second factor", origins.page, testSecondFactor);
await scenario("reauthentication", origins.page, testReauthentication);
await scenario("account without a password", origins.page, testAccountWithoutPassword);
await scenario("origins", origins.page, testOrigins);
await testList();
await testManual();
await browser.close();
stopApp();
await stop();
finish(28);
