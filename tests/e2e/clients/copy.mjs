// Copies a filled database through all pairs of SQLite, PostgreSQL and MariaDB with `hallpass copy`, kills the copies at twelve places, two
// for each pair, and compares each target with the source row by row. With `all`, each copy is killed at ten places.
// node copy.mjs <binary> <postgres url> <mysql url> [number of users] [all]

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { accounts, generation, isRefused } from "./accounts.mjs";
import { assert, check, finish } from "./checks.mjs";
import { database } from "./own_database.mjs";
import { contents, differences, query, tablesOf } from "./rows.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, postgresUrl, mysqlUrl, users = "10000", kills] = process.argv.slice(2);
const isLarge = Number(users) > 100_000;
const port = 8271;
const folder = emptyFolder();
const client = accounts(`http://localhost:${port}`);
const KEY = { SECRET_KEY_FILE: "hallpass.key" };
/** For each pair, the fractions of the rows after which its copy is killed. After all rows, it is comparing. */
const PLACES = [[0, 0.6], [0.1, 0.7], [0.2, 0.85], [0.3, 1], [0.4, 0.55], [0.15, 0.5]];
const ALL_PLACES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1];

const file = (name) => ({ url: `sqlite://${join(folder, `${name}.db`)}`, kind: "SQLite" });
const postgres = (name) => database(postgresUrl, name);
const mysql = (name) => database(mysqlUrl, name);

/** How many rows the target says are copied; null before the copy has begun, and after it has finished. */
function progress({ url }) {
  const sum = query(url, "SELECT CAST(SUM(row_count) AS CHAR(20)) FROM copy_progress");
  return /^\d+/.test(sum ?? "") ? Number.parseInt(sum, 10) : null;
}

const environment = (from) => ({ ...KEY, DATABASE_URL: from.url });
const copying = (from, to) => [resolve(binary), ["copy", "--to", to.url], { cwd: folder, env: environment(from), encoding: "utf8", timeout: 3_600_000 }];

/** Starts a copy and kills it when this many rows are in the target. Returns how many there are then. */
async function interrupt(from, to, rows) {
  const child = spawn(...copying(from, to));
  const exited = once(child, "exit");
  let copied = null;
  while (child.exitCode === null && (copied === null || copied < rows)) {
    await sleep(2);
    copied = progress(to) ?? copied;
  }
  child.kill("SIGKILL");
  const [code] = await exited;
  if (code !== null) throw new Error(`the copy ended with ${code} before it was killed`);
  await to.forgotten?.();
  return progress(to);
}

/** Copies with interruptions, and compares the rows of both databases. */
async function move(from, to, tables, expected, fractions) {
  const pair = `${from.kind} to ${to.kind}`;
  const total = Object.values(expected).reduce((sum, { count }) => sum + count, 0);
  const began = performance.now();
  const places = [];
  for (const fraction of fractions) {
    places.push(await interrupt(from, to, Math.floor(total * fraction)));
    if (places.length === 2) {
      const { status, stderr } = spawnSync(resolve(binary), ["serve"], { cwd: folder, env: { ...environment(to), LISTEN: `127.0.0.1:${port}` }, encoding: "utf8", timeout: 30_000 });
      check(`${pair}: a server does not start on a part of the rows`, status === 1 && stderr.includes("unfinished copy"), stderr);
    }
  }
  const different = new Set(places).size;
  check(`${pair}: each interrupted copy continues: ${places.join(", ")} of ${total} rows`, places.every((rows, index) => index === 0 || rows >= places[index - 1]) && different >= Math.min(fractions.length, 8));
  const resumed = performance.now();
  const measured = spawnSync("/usr/bin/env", ["time", "-f", "%M", ...copying(from, to).slice(0, 2).flat()], { cwd: folder, env: { ...environment(from), PATH: process.env.PATH }, encoding: "utf8" });
  const usesTime = measured.status !== 127;
  const { status, stdout, stderr } = usesTime ? measured : spawnSync(...copying(from, to));
  check(`${pair}: the last one finishes`, status === 0 && stdout.includes(`${total}  rows were copied`) && stderr.includes("continuing an interrupted copy"), stdout, stderr);
  const memory = usesTime ? `, ${Math.round(Number(stderr.trim().split("\n").pop()) / 1024)} MiB` : "";
  console.log(`     ${pair}: ${seconds(began)} s with interruptions, the last run ${seconds(resumed)} s${memory}`);
  const found = differences(expected, await contents(to.url, tables, isLarge));
  check(`${pair}: all ${total} rows are equal`, found.length === 0, ...found.slice(0, 2));
  check(`${pair}: nothing of the copy is left`, query(to.url, "SELECT COUNT(*) FROM copy_progress") === null && query(to.url, "SELECT COUNT(*) FROM seaql_migrations WHERE version = 'unfinished_copy'") === "0");
}

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);

/** A server on a copy accepts the tokens of before. It changes the database. */
async function serve(to, { ada, cy }) {
  const stop = await start(binary, port, { ...environment(to), RUST_LOG: "warn,hallpass::cli=info" }, undefined, folder);
  check(`${to.kind}: an access token of before works`, (await client.me(ada.accessToken)).data?.me?.username === "ada");
  const { data } = await client.refresh(ada.refreshToken);
  check(`${to.kind}: a refresh token of before works`, generation(data?.refreshToken ?? ada) === 1);
  check(`${to.kind}: a session that was signed out stays so`, isRefused(await client.me(cy.accessToken)) && (await client.refresh(cy.refreshToken)).code === "SESSION_REVOKED");
  check(`${to.kind}: a password of before works`, (await client.login("ada")).data?.login?.user.username === "ada");
  await stop();
}

// The source, with two users who have tokens and many who have other rows.
const first = file("hallpass");
const stop = await start(binary, port, { ...environment(first), SECRET_KEY_FILE: undefined, BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" }, undefined, folder);
const ada = (await client.register("ada", "ada@example.org")).data.register;
const cy = (await client.register("cy")).data.register;
await client.logout(cy.refreshToken);
const refused = spawnSync(...copying(first, file("refused")));
check("a source that a server uses is refused", refused.status === 1 && refused.stderr.includes("another process has opened"), refused.stderr);
await stop();
execFileSync("sqlite3", [join(folder, "hallpass.db")], { input: readFileSync(new URL("copy.sql", import.meta.url), "utf8").replaceAll(":users", users), stdio: ["pipe", "ignore", "inherit"] });
const tables = await tablesOf(first.url);
const began = performance.now();
const expected = await contents(first.url, tables, isLarge);
const empty = tables.filter(({ name }) => expected[name].count === 0).map(({ name }) => name);
assert(`all tables have rows, also ${empty}`, empty.length === 0);
console.log(`     the rows were read in ${seconds(began)} s`);

// Each target is the source of the next copy, and all of them are equal to the first one.
const chain = [first, postgres("copy1"), mysql("copy1"), file("copy1"), mysql("copy2"), postgres("copy2"), file("copy2")];
for (const [index, to] of chain.entries()) {
  if (index === 0) continue;
  await move(chain[index - 1], to, tables, expected, kills === "all" ? ALL_PLACES : PLACES[index - 1]);
  if (index === 1) {
    const again = spawnSync(...copying(first, to));
    check("a finished copy is not made again", again.status === 1 && again.stderr.includes("the target is not empty"), again.stderr);
  }
}
for (const to of [chain[1], chain[2], chain[6]]) await serve(to, { ada, cy });
finish(40);
