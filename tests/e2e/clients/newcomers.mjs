// People of the three systems move in: from tables and a file that the real Python libraries made, on SQLite and
// PostgreSQL. They sign in with their old passwords, and are hashed anew. And the manual's commands, word by word.
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
const MORE = 3000;

async function move(kind, url, environment = {}) {
  const origin = `http://localhost:${port}`;
  const stop = await start(binary, port, { BCRYPT_COST: "10" });
  const { folder } = stop;
  execFileSync(resolve(python), [join(import.meta.dirname, "tutorials.py"), url.python, folder, String(MORE)], { cwd: folder, stdio: "inherit" });
  const run = (...parameters) => spawnSync(resolve(binary), ["user", ...parameters], { cwd: folder, env: environment, encoding: "utf8", maxBuffer: 2 ** 25 });
  const from = ["import", "--from", "sqlalchemy", url.hallpass];

  const dry = run(...from, "--dry-run");
  check(`${kind}: a dry run tells whom it would refuse`, dry.status === 1 && dry.stdout === `${MORE + 2} would be imported, 0 already there, 1 would be refused\n` && /^row 3: username: .*\nrow 3: email: .*$/m.test(dry.stderr), dry);
  check(`${kind}: and writes nothing`, run("list", "--json").stdout === "");
  const real = run(...from);
  check(`${kind}: all others come`, real.status === 1 && real.stdout === `${MORE + 2} imported, 0 already there, 1 refused\n`, real);
  const again = run(...from);
  check(`${kind}: the same again makes nobody twice`, again.stdout === `0 imported, ${MORE + 2} already there, 1 refused\n`, again);
  const login = run(...from, "--table", "user");
  check(`${kind}: from the table of SQLModel, too`, login.status === 0 && login.stdout === "1 imported, 0 already there, 0 refused\n" && login.stderr.endsWith("\nignored columns: avatar\n"), login);
  const file = run("import", "johndoe.jsonl");
  check(`${kind}: and from a file`, file.status === 0 && file.stdout === "1 imported, 0 already there, 0 refused\n", file);

  const people = () => run("list", "--json").stdout.trim().split("\n").map((line) => JSON.parse(line));
  const ada = people().find(({ username }) => username === "ada");
  check(`${kind}: names and times are as they were`, ada.firstName === "Ада" && ada.lastName === "Кинг" && ada.createdAt === "2025-08-01T12:00:00.123Z" && ada.lastLoginAt === "2025-08-01T12:00:00.123Z" && ada.email === "ada@example.org", ada);
  const client = accounts(origin);
  const old = () => run("export", "--with-hashes").stdout.split("\n").filter((line) => /"(ada|cy|johndoe)".*"\$(2b|argon2id|pbkdf2-sha256)\$/.test(line)).length;
  check(`${kind}: the hashes are those of before`, old() === 3);
  for (const username of ["ada", "cy", "johndoe"]) {
    const signedIn = await client.login(username);
    check(`${kind}: ${username} signs in`, signedIn.data?.login?.user.username === username, signedIn);
  }
  check(`${kind}: and is hashed anew`, old() === 0);
  check(`${kind}: who was disabled is`, (await client.login("bo")).code === "ACCOUNT_DISABLED");
  check(`${kind}: who has signed in since is not taken for somebody else`, run(...from).stdout === `0 imported, ${MORE + 2} already there, 1 refused\n`);
  await stop();
}

await move("SQLite", { python: "sqlite:///./app.db", hallpass: "sqlite:///./app.db" });
const { url } = database(postgresUrl, "newcomers");
const asPython = (driver) => url.replace(/^postgres(ql)?:/, `postgresql+${driver}:`);
// As the tutorial's own setting has it, with a driver that is not asked.
await move("PostgreSQL", { python: asPython("psycopg2"), hallpass: asPython("asyncpg") });

// The manual's five commands. The dry run and the import tell of the one who can't come.
const folder = emptyFolder();
symlinkSync(resolve(binary), join(folder, "hallpass"));
execFileSync(resolve(python), [join(import.meta.dirname, "tutorials.py"), "sqlite:///./test.db", folder], { cwd: folder, stdio: "inherit" });
const commands = readFileSync(page, "utf8").split("\n## Import the users\n")[1].match(/^```sh\n(.*?)^```$/ms)[1].trim().split("\n");
const codes = commands.slice(0, -1).map((command) => spawnSync("bash", ["--norc", "-c", command], { cwd: folder, env: { PATH: `${folder}:${process.env.PATH}` }, stdio: ["ignore", "inherit", "inherit"] }).status);
check("manual: the first four commands succeed", String(codes) === "0,1,1,0", codes);
check("manual: the fifth command starts the server", commands[4] === "hallpass");
const stop = await start(binary, port, { BCRYPT_COST: "10" }, undefined, folder);
const { accessToken } = (await accounts(`http://localhost:${port}`).login("ada")).data.login;
const me = await fetch(`http://localhost:${port}/graphql?query=${encodeURIComponent("{ me { username lastName roles } }")}`, { headers: { authorization: `Bearer ${accessToken}` } });
check("manual: Ada exists and is an administrator", (await me.text()) === '{"data":{"me":{"username":"ada","lastName":"Кинг","roles":["admin","user"]}}}');
await stop();
finish();
