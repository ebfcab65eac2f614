// Imports exports of Supabase, Auth0, Firebase, Keycloak, Django and Authorizer by the commands of the manual, and a table with hashes of
// Flask and passlib. The exports are made by each project's own libraries where Python has them. Each user must be able to sign in with the
// password, and with no other one.
// node profiles.mjs <binary> <python with the packages of profiles.py> <postgres url> <folder with the manual's pages>

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { accounts } from "./accounts.mjs";
import { check, finish } from "./checks.mjs";
import { database } from "./own_database.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, python, postgresUrl, pages] = process.argv.slice(2);
const port = 8281;
const SETTINGS = { OIDC_PROVIDERS: "google", GOOGLE_CLIENT_ID: "id", GOOGLE_CLIENT_SECRET: "secret" };

const exports = emptyFolder();
execFileSync(resolve(python), [join(import.meta.dirname, "profiles.py"), exports], { stdio: "inherit" });
const { url: foreignUrl, ask } = database(postgresUrl, "profiles");
for (const name of ["supabase", "authorizer"]) ask(readFileSync(join(exports, name, "setup.sql"), "utf8"));

/** The commands of a section of a page, one text for each block. */
function commands(page, section) {
  const text = readFileSync(join(pages, `${page}.md`), "utf8").split(`\n## ${section}\n`)[1].split("\n## ")[0];
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
}

/** Runs the commands of a page, and returns what the last import has printed. */
function move(name, { folder, expected, environment = {} }) {
  symlinkSync(resolve(binary), join(folder, "hallpass"));
  const path = [folder, dirname(resolve(python)), process.env.PATH].join(delimiter);
  const env = { PATH: path, SUPABASE_URL: foreignUrl, AUTHORIZER_URL: foreignUrl, ...SETTINGS, ...environment };
  const run = (script) => spawnSync("bash", ["--norc", "-c", script], { cwd: folder, env, encoding: "utf8" });
  const [imports] = name === "table" ? [table] : commands(name, "Import them");
  const exported = name === "table" ? [] : commands(name, "Export the users").map(run);
  check(`${name}: the commands of the export succeed`, exported.every(({ status }) => status === 0), exported);
  const [migrate, dry, real] = imports.trim().split("\n").map(run);
  const summary = (result, words) => result.stdout.trim() === `${expected} ${words}imported, 0 already there, 0 ${words}refused`;
  check(`${name}: the tables are created`, migrate.status === 0, migrate);
  check(`${name}: the dry run accepts all users`, dry.status === 0 && summary(dry, "would be "), dry);
  check(`${name}: all users are imported`, real.status === 0 && summary(real, ""), real);
  const again = run(imports.trim().split("\n").at(-1));
  check(`${name}: a repeated import changes nothing`, again.stdout.trim() === `0 imported, ${expected} already there, 0 refused`, again);
  const users = run("hallpass user list --json").stdout.trim().split("\n").map((line) => JSON.parse(line));
  return { notes: real.stderr, users, env };
}

/** Signs in as each of the users, with the password and another one. */
async function signIn(name, folder, identifiers, environment = {}) {
  const stop = await start(binary, port, { BCRYPT_COST: "10", ...SETTINGS, ...environment }, undefined, folder);
  const client = accounts(`http://localhost:${port}`);
  for (const identifier of identifiers) {
    const wrong = await client.login(identifier, "correct horse batterx");
    check(`${name}: ${identifier} cannot sign in with another password`, wrong.code === "INVALID_CREDENTIALS", wrong);
    const right = await client.login(identifier);
    check(`${name}: ${identifier} can sign in`, right.data?.login?.user.username !== undefined, right);
  }
  await stop();
}

const of = (users, email) => users.find((user) => user.email === email);
const table = "hallpass migrate\nhallpass user import --dry-run users.csv\nhallpass user import users.csv\n";
const DJANGO = { USERNAME_EXTRA_CHARACTERS: ".@+" };

{
  const folder = join(exports, "django");
  const { users, notes } = move("django", { folder, expected: 7, environment: DJANGO });
  check("django: usernames with a dot are kept", users.filter(({ username }) => username.endsWith(".user")).length === 5, users);
  check("django: a username that is an address is replaced", of(users, "mail@example.org").username === "mail", users);
  check("django: no address is verified", users.every(({ emailVerified }) => emailVerified !== true), users);
  check("django: superusers and groups are reported", /superusers, .*: 1$/m.test(notes) && /users with groups: 1$/m.test(notes), notes);
  const names = ["pbkdf2_sha256", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"];
  await signIn("django", folder, [...names.map((name) => `${name}.user`), "bcrypt@example.org", "root"], DJANGO);
  const other = emptyFolder();
  execFileSync(resolve(binary), ["migrate"], { cwd: other, env: DJANGO });
  const csv = spawnSync(resolve(binary), ["user", "import", "--from", "django", join(folder, "table.csv")], { cwd: other, env: DJANGO, encoding: "utf8" });
  check("django: the table can be imported as CSV", csv.stdout === "7 imported, 0 already there, 0 refused\n", csv);
}
{
  const folder = join(exports, "supabase");
  const { users, notes } = move("supabase", { folder, expected: 4 });
  check("supabase: usernames are made from addresses", of(users, "ada@example.org").username === "ada" && /^ada-[0-9a-f]{8}$/.test(of(users, "ada@example.com").username), users);
  check("supabase: only confirmed addresses are verified", of(users, "ada@example.org").emailVerified && !of(users, "ada@example.com").emailVerified, users);
  check("supabase: ids are kept", ask("select string_agg(id::text, ',' order by id::text) from auth.users where email is not null") === users.map(({ id }) => id).sort().join());
  check("supabase: names are kept", of(users, "ada@example.org").firstName === "Ada" && of(users, "ada@example.org").lastName === "King", users);
  check("supabase: banned users are disabled", of(users, "banned@example.org").isActive === false, users);
  check("supabase: anonymous users are reported", /anonymous users: 1$/m.test(notes), notes);
  const shown = JSON.parse(spawnSync(resolve(binary), ["user", "show", "google@example.org", "--json"], { cwd: folder, env: SETTINGS, encoding: "utf8" }).stdout);
  check("supabase: accounts at Google are linked", shown.identities.length === 1 && shown.identities[0].provider.id === "google", shown);
  await signIn("supabase", folder, ["ada@example.org", "ada@example.com"]);
}
{
  const folder = join(exports, "auth0");
  const { users } = move("auth0", { folder, expected: 3 });
  check("auth0: only verified addresses are verified", of(users, "ada@example.org").emailVerified && !of(users, "bo@example.org").emailVerified, users);
  check("auth0: names are kept", of(users, "ada@example.org").lastName === "King" && of(users, "google@example.org").lastName === "Hopper", users);
  await signIn("auth0", folder, ["ada", "bo@example.org"]);
  const other = emptyFolder();
  const env = SETTINGS;
  execFileSync(resolve(binary), ["migrate"], { cwd: other, env });
  const alone = spawnSync(resolve(binary), ["user", "import", "--from", "auth0", join(folder, "passwords.ndjson")], { cwd: other, env, encoding: "utf8" });
  check("auth0: the file with the hashes can be imported alone", alone.stdout === "2 imported, 0 already there, 0 refused\n", alone);
}
{
  const folder = join(exports, "firebase");
  // The text of the console as the manual shows it, with the key of this project.
  const config = readFileSync(join(pages, "firebase.md"), "utf8").match(/^```text\n(hash_config .*?)^```$/ms)[1];
  const key = readFileSync(join(folder, "signer-key.txt"), "utf8");
  writeFileSync(join(folder, "hash-config.txt"), config.replace(/(?<=base64_signer_key: )[^,]+/, key));
  const { users } = move("firebase", { folder, expected: 3 });
  check("firebase: only verified addresses are verified", of(users, "user0@example.org").emailVerified && !of(users, "user1@example.org").emailVerified, users);
  check("firebase: times are kept", of(users, "user0@example.org").createdAt === "2025-08-01T12:00:00.000Z", users);
  const stored = readFileSync(join(folder, "hallpass.db"), "latin1");
  check("firebase: the signer key is not stored", !stored.includes(key.replace(/=+$/, "")));
  await signIn("firebase", folder, ["user0", "user1@example.org"]);
}
{
  const folder = join(exports, "keycloak");
  const { users, notes } = move("keycloak", { folder, expected: 4 });
  check("keycloak: usernames and names are kept", users.every(({ username, lastName, email }) => email === `${username}@example.org` && lastName === "King"), users);
  check("keycloak: roles that do not exist are reported", /role "editor", which is not in ROLES: 4$/m.test(notes) && /service accounts: 1$/m.test(notes), notes);
  await signIn("keycloak", folder, ["argon2", "sha512", "sha256", "sha1"]);
}
{
  const folder = join(exports, "authorizer");
  const { users } = move("authorizer", { folder, expected: 2 });
  check("authorizer: only verified addresses are verified", of(users, "ada@example.org").emailVerified && !of(users, "bo@example.org").emailVerified, users);
  check("authorizer: ids are kept", ask("select id from authorizer_users where email = 'ada@example.org'") === of(users, "ada@example.org").id);
  await signIn("authorizer", folder, ["ada", "bo"]);
}
{
  const folder = join(exports, "table");
  move("table", { folder, expected: 4 });
  await signIn("table", folder, ["flask-scrypt", "flask-pbkdf2", "sha512", "scrypt"]);
}
finish();
