// Imports users of three tutorial systems from tables and a file that the original Python libraries created, on SQLite and PostgreSQL.
// The users must be able to sign in with their old passwords, which rehashes them. Also runs the manual's commands.
// node newcomers.mjs <binary> <python with SQLAlchemy, passlib, bcrypt and argon2-cffi> <postgres url> <page with the commands>

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { accounts } from "./accounts.mjs";
import { check, finish } from "./checks.mjs";
import { database } from "./own_database.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, python, postgresUrl, page] = process.argv.slice(2);
const port = 8164;
const EXTRA_USERS = 3000;

async function move(kind, url, environment = {}) {
  const origin = `http://localhost:${port}`;
  const stop = await start(binary, port, { BCRYPT_COST: "10" });
  const { folder } = stop;
  execFileSync(resolve(python), [join(import.meta.dirname, "tutorials.py"), url.python, folder, String(EXTRA_USERS)], { cwd: folder, stdio: "inherit" });
  const run = (...parameters) => spawnSync(resolve(binary), ["user", ...parameters], { cwd: folder, env: environment, encoding: "utf8", maxBuffer: 2 ** 25 });
  const from = ["import", "--from", "sqlalchemy", url.hallpass];

  const dry = run(...from, "--dry-run");
  check(`${kind}: a dry run reports invalid rows`, dry.status === 1 && dry.stdout === `${EXTRA_USERS + 2} would be imported, 0 already there, 1 would be refused\n` && /^row 3: username: .*\nrow 3: email: .*$/m.test(dry.stderr), dry);
  check(`${kind}: a dry run writes nothing`, run("list", "--json").stdout === "");
  const real = run(...from);
  check(`${kind}: all valid rows are imported`, real.status === 1 && real.stdout === `${EXTRA_USERS + 2} imported, 0 already there, 1 refused\n`, real);
  const again = run(...from);
  check(`${kind}: a repeated import creates no duplicates`, again.stdout === `0 imported, ${EXTRA_USERS + 2} already there, 1 refused\n`, again);
  const login = run(...from, "--table", "user");
  check(`${kind}: the table of SQLModel can be imported`, login.status === 0 && login.stdout === "1 imported, 0 already there, 0 refused\n" && login.stderr.endsWith("\nignored columns: avatar\n"), login);
  const file = run("import", "johndoe.jsonl");
  check(`${kind}: a file can be imported`, file.status === 0 && file.stdout === "1 imported, 0 already there, 0 refused\n", file);

  const people = () => run("list", "--json").stdout.trim().split("\n").map((line) => JSON.parse(line));
  const ada = people().find(({ username }) => username === "ada");
  check(`${kind}: names and times are preserved`, ada.firstName === "Ада" && ada.lastName === "Кинг" && ada.createdAt === "2025-08-01T12:00:00.123Z" && ada.lastLoginAt === "2025-08-01T12:00:00.123Z" && ada.email === "ada@example.org", ada);
  const client = accounts(origin);
  const old = () => run("export", "--with-hashes").stdout.split("\n").filter((line) => /"(ada|cy|johndoe)".*"\$(2b|argon2id|pbkdf2-sha256)\$/.test(line)).length;
  check(`${kind}: the original hashes are imported`, old() === 3);
  for (const username of ["ada", "cy", "johndoe"]) {
    const signedIn = await client.login(username);
    check(`${kind}: ${username} can sign in`, signedIn.data?.login?.user.username === username, signedIn);
  }
  check(`${kind}: sign-in rehashes the passwords`, old() === 0);
  check(`${kind}: disabled users stay disabled`, (await client.login("bo")).code === "ACCOUNT_DISABLED");
  check(`${kind}: users who have signed in since are still recognized`, run(...from).stdout === `0 imported, ${EXTRA_USERS + 2} already there, 1 refused\n`);
  await stop();
}

await move("SQLite", { python: "sqlite:///./app.db", hallpass: "sqlite:///./app.db" });
const { url } = database(postgresUrl, "newcomers");
const asPython = (driver) => url.replace(/^postgres(ql)?:/, `postgresql+${driver}:`);
// The URL as in the tutorial's setting, with the name of a Python driver that Hallpass must ignore.
await move("PostgreSQL", { python: asPython("psycopg2"), hallpass: asPython("asyncpg") });

// The manual's five commands. The dry run and the import report the one invalid row.
const folder = emptyFolder();
symlinkSync(resolve(binary), join(folder, "hallpass"));
execFileSync(resolve(python), [join(import.meta.dirname, "tutorials.py"), "sqlite:///./test.db", folder], { cwd: folder, stdio: "inherit" });
const commands = readFileSync(page, "utf8").split("\n## Import the users\n")[1].match(/^```sh\n(.*?)^```$/ms)[1].trim().split("\n");
const codes = commands.slice(0, -1).map((command) => spawnSync("bash", ["--norc", "-c", command], { cwd: folder, env: { PATH: `${folder}:${process.env.PATH}` }, stdio: ["ignore", "inherit", "inherit"] }).status);
check("manual: the first four commands return the expected exit codes", String(codes) === "0,1,1,0", codes);
check("manual: the fifth command starts the server", commands[4] === "hallpass");
const stop = await start(binary, port, { BCRYPT_COST: "10" }, undefined, folder);
const { accessToken } = (await accounts(`http://localhost:${port}`).login("ada")).data.login;
const me = await fetch(`http://localhost:${port}/graphql?query=${encodeURIComponent("{ me { username lastName roles } }")}`, { headers: { authorization: `Bearer ${accessToken}` } });
check("manual: Ada exists and is an administrator", (await me.text()) === '{"data":{"me":{"username":"ada","lastName":"Кинг","roles":["admin","user"]}}}');
await stop();
finish();
