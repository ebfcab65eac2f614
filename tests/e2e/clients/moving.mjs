// The README's recipes: a copy of SQLite's file, taken while the server runs and restored; and the move to PostgreSQL.
// node moving.mjs <binary> <postgres url> <README.md>

import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { PASSWORD, accounts, generation, isRefused } from "./accounts.mjs";
import { database } from "./own_database.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, postgresUrl, readme] = process.argv.slice(2);
const port = 8153;
const section = readFileSync(readme, "utf8").split("\n## Grow\n")[1].split("\n## ")[0];
const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text);
const recipe = (what) => blocks.find((text) => text.includes(what));

let failed = 0;
function check(what, isTrue) {
  console.log(`${isTrue ? "ok  " : "FAIL"} ${what}`);
  if (!isTrue) failed += 1;
}

const folder = emptyFolder();
const bin = emptyFolder();
symlinkSync(resolve(binary), join(bin, "hallpass"));
const sh = (text) => execFileSync("bash", ["--norc", "-euo", "pipefail", "-c", text], { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}`, LISTEN: `127.0.0.1:${port}`, RUST_LOG: "warn" }, encoding: "utf8" });
const settings = { BCRYPT_COST: "10" };
const origin = `http://localhost:${port}`;
const client = accounts(origin);

// Ada has a name that is hard on CSV, Bo has no name at all; Cy has signed out.
let stop = await start(binary, port, settings, undefined, folder);
const registered = await fetch(`${origin}/graphql`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    query: "mutation($input: RegisterInput!) { register(input: $input) { refreshToken } }",
    variables: { input: { username: "ada", password: PASSWORD, email: "ada@example.org", firstName: 'Áda, "the" first', lastName: "\\N", tokenDelivery: "BODY" } },
  }),
});
const ada = (await registered.json()).data.register;
const bo = (await client.register("bo")).data.register;
const cy = (await client.register("cy")).data.register;
await client.logout(cy.refreshToken);

sh(recipe("VACUUM INTO"));
check("a copy is for nobody else's eyes", (statSync(join(folder, "backup.db")).mode & 0o077) === 0);
const later = (await client.refresh(bo.refreshToken)).data.refreshToken;
await client.register("dee");
await stop();
renameSync(join(folder, "backup.db"), join(folder, "hallpass.db"));
for (const companion of ["-wal", "-shm"]) rmSync(join(folder, `hallpass.db${companion}`), { force: true });

stop = await start(binary, port, settings, undefined, folder);
check("restored, whoever was there signs in", (await client.login("bo")).data?.login);
check("who came later does not", (await client.login("dee")).code === "INVALID_CREDENTIALS");
check("a refresh token newer than the backup ends its session", (await client.refresh(later.refreshToken)).code === "SESSION_REVOKED");
check("one of the backup's is good", generation((await client.refresh(ada.refreshToken)).data?.refreshToken ?? ada) === 1);
const bearer = (await client.login("bo")).data.login;
await stop();

const columns = sh(`sqlite3 -separator ' ' hallpass.db "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'seaql%'"`);
const lacking = columns.trim().split("\n").filter((line) => {
  const [table, column] = line.split(" ");
  return !new RegExp(`^move ${table} .*\\b${column}\\b`, "m").test(recipe("hallpass migrate"));
});
check(["all columns are moved", ...lacking].join(", not "), lacking.length === 0);

const { url, ask } = database(postgresUrl, "moving");
sh(recipe("hallpass migrate").replace(/^export DATABASE_URL=.*$/m, `export DATABASE_URL='${url}'`));
stop = await start(binary, port, { ...settings, DATABASE_URL: url, SECRET_KEY_FILE: "hallpass.key" }, undefined, folder);
for (const name of ["ada", "bo", "cy"]) check(`moved, ${name} signs in`, (await client.login(name)).data?.login?.user.username === name);
check("an access token from before is good", (await client.me(bearer.accessToken)).data?.me?.username === "bo");
check("a refresh token from before is good", (await client.refresh(bearer.refreshToken)).data?.refreshToken);
check("a lost answer from before is made good", generation((await client.refresh(ada.refreshToken)).data?.refreshToken ?? ada) === 1);
check("who had signed out has", (await client.refresh(cy.refreshToken)).code === "SESSION_REVOKED" && isRefused(await client.me(cy.accessToken)));
const name = ask("SELECT first_name = 'Áda, \"the\" first' AND last_name = E'\\\\N' AND email = 'ada@example.org' FROM users WHERE username = 'ada'");
check("names are as they were", name === "t");
check("nothing is empty that was null", ask("SELECT COUNT(*) FROM users WHERE first_name = '' OR email = ''") === "0");
await stop();
console.log(`${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
