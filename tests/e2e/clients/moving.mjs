// Runs the manual's procedures: backups of all databases and their restore, and moves to PostgreSQL and MariaDB.
// node moving.mjs <binary> <postgres url> <mysql url> <pages with the procedures>…

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PASSWORD, accounts, generation, isRefused } from "./accounts.mjs";
import { Authenticator } from "./authenticator.mjs";
import { check, finish } from "./checks.mjs";
import { database } from "./own_database.mjs";
import { emptyFolder, start } from "./server.mjs";
import { codeOf } from "./totp.mjs";

const [binary, postgresUrl, mysqlUrl, ...pages] = process.argv.slice(2);
const port = 8153;
const text = pages.map((page) => readFileSync(page, "utf8")).join("\n");
const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text);
const recipe = (what) => blocks.find((text) => text.includes(what));

const folder = emptyFolder();
const bin = emptyFolder();
symlinkSync(resolve(binary), join(bin, "hallpass"));
const sh = (text) => execFileSync("bash", ["--norc", "-euo", "pipefail", "-c", text], { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}`, LISTEN: `127.0.0.1:${port}`, RUST_LOG: "warn" }, encoding: "utf8" });
// No server listens there, so Ada's mail stays queued and its link stays in the database.
const mail = { SMTP_URL: "smtp://127.0.0.1:9", MAIL_FROM: "accounts@example.org" };
const settings = { ...mail, EMAIL_SIGN_IN: "true", THROTTLE: "true", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };
const origin = `http://localhost:${port}`;
const client = accounts(origin);

/** All account data that a user can read. */
async function seen({ accessToken }) {
  const query = "{ me { id username email firstName lastName isActive roles createdAt updatedAt lastLoginAt sessions { id isCurrent userAgent ipAddress createdAt lastUsedAt expiresAt } hasPassword passkeys { id name createdAt lastUsedAt isSynced credentialId } } }";
  const answer = await fetch(`${origin}/graphql?query=${encodeURIComponent(query)}`, { headers: { authorization: `Bearer ${accessToken}` } });
  return answer.text();
}

/** Sends a mutation as a browser with these cookies. Returns the response and the cookies that it sets. */
async function mutate(query, variables, { accessToken, cookie = "" } = {}) {
  const headers = { "content-type": "application/json", cookie, ...(accessToken && { authorization: `Bearer ${accessToken}` }) };
  const response = await fetch(`${origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const cookies = response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  return { ...(await response.json()), cookie: cookies };
}

const LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
const VERIFY = "mutation($input: VerifyMfaInput!) { verifyMfa(input: $input) { user { username } } }";
const firstStep = () => mutate(LOGIN, { input: { username: "flo", password: PASSWORD } });

/** Finishes a sign-in of Flo, who has a second factor. */
function secondStep({ errors: [{ extensions }], cookie }, factor, rememberDevice = false) {
  return mutate(VERIFY, { input: { token: extensions.mfa.token, factor, rememberDevice } }, { cookie });
}

/** Starts a ceremony of passkeys with `mutation`, such as "startPasskeyLogin". */
async function startCeremony(mutation, signedIn) {
  const { data, errors } = await mutate(`mutation { ceremony: ${mutation} { ceremonyToken options } }`, {}, signedIn);
  if (errors) throw new Error(errors[0].message);
  return data.ceremony;
}

/** Registers an account without a password. Returns its access token. */
async function registerWithPasskey(username, authenticator) {
  const { ceremonyToken, options } = await startCeremony(`startPasskeyRegistration(input: { username: "${username}" })`);
  const register = "mutation($input: RegisterWithPasskeyInput!) { registerWithPasskey(input: $input) { accessToken } }";
  const input = { username, ceremonyToken, credential: authenticator.create(options), tokenDelivery: "BODY" };
  return (await mutate(register, { input })).data.registerWithPasskey;
}

/** Adds a passkey in `authenticator` to the account of a signed-in user. */
async function addPasskey(signedIn, authenticator, name) {
  const { ceremonyToken, options } = await startCeremony("startPasskeyRegistration", signedIn);
  const finish = "mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) { passkey { id } } }";
  const { data } = await mutate(finish, { input: { ceremonyToken, credential: authenticator.create(options), name } }, signedIn);
  check(`the passkey "${name}" is added`, data?.finishPasskeyRegistration);
}

/** Signs in with the newest passkey of `authenticator`. Returns the user. */
async function signInWithPasskey(authenticator) {
  const { ceremonyToken, options } = await startCeremony("startPasskeyLogin");
  return finishWithPasskey(ceremonyToken, authenticator.get(options));
}

async function finishWithPasskey(ceremonyToken, credential) {
  const finish = "mutation($input: FinishPasskeyLoginInput!) { finishPasskeyLogin(input: $input) { user { username } } }";
  const { data, errors } = await mutate(finish, { input: { ceremonyToken, credential } });
  return data?.finishPasskeyLogin?.user ?? errors[0].extensions.code;
}

// Ada's name needs escaping in CSV and SQL, Bo has no name, and Cy has logged out.
let stop = await start(binary, port, settings, undefined, folder);
const registered = await fetch(`${origin}/graphql`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    query: "mutation($input: RegisterInput!) { register(input: $input) { refreshToken } }",
    variables: { input: { username: "ada", password: PASSWORD, email: "ada@example.org", firstName: `Áda, "the" \u{1f600} first's`, lastName: "\\N;\\", tokenDelivery: "BODY" } },
  }),
});
const ada = (await registered.json()).data.register;
const bo = (await client.register("bo")).data.register;
const cy = (await client.register("cy")).data.register;
await client.logout(cy.refreshToken);
// The server creates the link of the invitation when it tries to send the mail, at the latest after the restart.
stop.run(["user", "invite", "eve@example.org"]);

sh(recipe("hallpass backup"));
check("a backup is readable by its owner only", (statSync(join(folder, "backup.db")).mode & 0o077) === 0);
const later = (await client.refresh(bo.refreshToken)).data.refreshToken;
await client.register("dee");
await stop();
sh(recipe("hallpass restore"));

stop = await start(binary, port, settings, undefined, folder);
check("after a restore, users in the backup can sign in", (await client.login("bo")).data?.login);
check("users registered after the backup cannot sign in", (await client.login("dee")).code === "INVALID_CREDENTIALS");
check("a refresh token newer than the backup revokes its session", (await client.refresh(later.refreshToken)).code === "SESSION_REVOKED");
check("a refresh token from the backup works", generation((await client.refresh(ada.refreshToken)).data?.refreshToken ?? ada) === 1);
const bearer = (await client.login("bo")).data.login;
// Flo has an authenticator app, a remembered device, and a sign-in that waits for a code.
const flo = (await client.register("flo")).data.register;
const { secret } = (await mutate("mutation { startTotpEnrollment { secret } }", {}, flo)).data.startTotpEnrollment;
const confirm = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }";
const [recoveryCode] = (await mutate(confirm, { input: { code: codeOf(secret, -1) } }, flo)).data.confirmTotpEnrollment.recoveryCodes;
await secondStep(await firstStep(), { totpCode: codeOf(secret) }, true);
const waiting = await firstStep();
// Gus has no password, a passkey that counts its signatures, and one that does not, of which a ceremony is finished.
const [key, phone] = [new Authenticator(origin, { isSynced: false }), new Authenticator(origin)];
const gus = await registerWithPasskey("gus", phone);
await addPasskey(gus, key, "Gus' key");
check("a passkey signs in before the migration", (await signInWithPasskey(key)).username === "gus");
const ceremony = await startCeremony("startPasskeyLogin");
const finished = [ceremony.ceremonyToken, phone.get(ceremony.options)];
await finishWithPasskey(...finished);
// A mail with which Ada could sign in.
const requestMail = "mutation($input: RequestEmailSignInInput!) { requestEmailSignIn(input: $input) { expiresIn } }";
await mutate(requestMail, { input: { email: "ada@example.org", codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" } });
// The last write before the migrations.
const adasPair = (await client.login("ada")).data.login;
const before = await seen(adasPair);
const gusBefore = await seen(gus);
await stop();
// Bo has linked an account at a provider, and comes back from there. The provider is not needed to finish.
const hash = (text) => createHash("sha256").update(text).digest("base64url");
const exchange = { code: "code-of-bo", codeVerifier: "the-verifier-in-the-browser-of-bo_0123456789" };
const [issuer, subject] = ["https://id.example.org", "248289761001"];
sh(`sqlite3 hallpass.db "INSERT INTO identities (id, user_id, provider_id, issuer, subject, identity_hash, email, linked_at)
  SELECT randomblob(16), id, 'acme', '${issuer}', '${subject}', '${hash(`${issuer}\0${subject}`)}', 'bo@id.example.org', created_at FROM users WHERE username = 'bo';
INSERT INTO provider_logins (id, code_hash, code_challenge, provider_id, issuer, subject, is_email_trusted, created_at, expires_at)
  SELECT randomblob(16), '${hash(exchange.code)}', '${hash(exchange.codeVerifier)}', 'acme', '${issuer}', '${subject}', 0, created_at, '2100-01-01 00:00:00+00:00' FROM users WHERE username = 'bo'"`);
const finishProvider = "mutation($input: LoginWithCodeInput!) { loginWithCode(input: $input) { user { username identities { email } } } }";

const tables = sh("sqlite3 hallpass.db \"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'seaql%' ORDER BY name\"").trim().split("\n");
const counts = tables.map((table) => sh(`sqlite3 hallpass.db "SELECT COUNT(*) FROM ${table}"`).trim());
check(`all tables have rows to migrate: ${tables.map((table, index) => `${counts[index]} ${table}`).join(", ")}`, !counts.includes("0"));

/** Moves to an empty database with the commands in `text`, and checks that all data is unchanged. */
async function move(text, { url, kind, ask }) {
  sh(text);
  for (const [index, table] of tables.entries()) check(`${kind}: all rows of ${table} are migrated`, ask(`SELECT COUNT(*) FROM ${table}`) === counts[index]);
  const stop = await start(binary, port, { ...settings, DATABASE_URL: url, SECRET_KEY_FILE: "hallpass.key" }, undefined, folder);
  check(`${kind}: Ada's data is unchanged`, (await seen(adasPair)) === before && before.includes("first's"));
  check(`${kind}: Gus' data is unchanged`, (await seen(gus)) === gusBefore && gusBefore.includes("Gus' key") && gusBefore.includes('"hasPassword":false'));
  for (const name of ["ada", "bo", "cy"]) check(`${kind}: ${name} can sign in`, (await client.login(name)).data?.login?.user.username === name);
  const floSignsIn = async (factor, step = undefined) => (await secondStep(step ?? (await firstStep()), factor)).data?.verifyMfa?.user.username === "flo";
  check(`${kind}: a sign-in that waits for a second factor can be finished`, await floSignsIn({ totpCode: codeOf(secret, 1) }, waiting));
  check(`${kind}: a recovery code works`, await floSignsIn({ recoveryCode }));
  check(`${kind}: a ceremony that was finished cannot be repeated`, (await finishWithPasskey(...finished)) === "PASSKEY_INVALID");
  for (const authenticator of [key, phone]) check(`${kind}: a passkey from before the migration signs in`, (await signInWithPasskey(authenticator)).username === "gus");
  const { data: provider, errors: refused } = await mutate(finishProvider, { input: exchange });
  check(`${kind}: a sign-in with a provider can be finished`, provider?.loginWithCode?.user.username === "bo" && provider.loginWithCode.user.identities.length === 1, refused);
  check(`${kind}: an access token from before the migration works`, (await client.me(bearer.accessToken)).data?.me?.username === "bo");
  check(`${kind}: a refresh token from before the migration works`, (await client.refresh(bearer.refreshToken)).data?.refreshToken);
  check(`${kind}: presenting the previous refresh token returns the same successor`, generation((await client.refresh(ada.refreshToken)).data?.refreshToken ?? ada) === 1);
  check(`${kind}: a session that was logged out stays revoked`, (await client.refresh(cy.refreshToken)).code === "SESSION_REVOKED" && isRefused(await client.me(cy.accessToken)));
  check(`${kind}: null values do not become empty strings`, ask("SELECT COUNT(*) FROM users WHERE first_name = '' OR email = ''") === "0");
  await stop();
}

/** Makes a backup of a server's database, changes the database, and restores the backup. */
async function restore({ url, kind, ask }, backup, restore) {
  const environment = `export DATABASE_URL='${url}'\n`;
  sh(environment + backup);
  ask("UPDATE users SET first_name = 'changed'");
  ask("DELETE FROM sessions");
  sh(environment + restore);
  check(`${kind}: a restored backup has the rows of before`, ask("SELECT COUNT(*) FROM users WHERE first_name = 'changed'") === "0" && ask("SELECT COUNT(*) FROM sessions") !== "0");
}

const copying = recipe("hallpass copy --to-file");
const postgres = database(postgresUrl, "moving");
writeFileSync(join(folder, "new-database"), `${postgres.url}\n`, { mode: 0o600 });
await move(copying, postgres);
await restore(postgres, recipe("pg_dump"), recipe("pg_restore"));
const mysql = database(mysqlUrl, "moving");
writeFileSync(join(folder, "new-database"), mysql.url);
await move(copying, mysql);
const { hostname, port: mysqlPort, username, password, pathname } = new URL(mysql.url);
const address = `--host=${hostname} --port=${mysqlPort || 3306} --user=${username} ${password && `--password='${decodeURIComponent(password)}'`} ${pathname.slice(1)}`;
const here = (text) => text.replace("--host=db.example.org --user=hallpass -p hallpass", address);
await restore(mysql, here(recipe("mariadb-dump")), here(recipe("mariadb --default")));
finish();
