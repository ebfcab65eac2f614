// Tests PgBouncer in front of PostgreSQL, with Debian's configuration. In session and transaction mode, two instances serve and
// restart. Transaction mode has fewer server connections than Hallpass opens. Without the URL parameter that this mode requires, the
// log must name it.
// node pooler.mjs <binary>

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { accounts, generation, isRefused } from "./accounts.mjs";
import { check, finish } from "./checks.mjs";
import { freePort, Postgres, until } from "./databases.mjs";
import { start } from "./server.mjs";

const [binary] = process.argv.slice(2);
const settings = { SECRET_KEY: "c41b7e90d3a52f6808e1c9b7d4f2a635", PUBLIC_URL: "http://localhost:8000", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass=info" };
const PARAMETER = "?statement-cache-capacity=0";
const MIGRATION_LOCK = readFileSync(new URL("../../../src/database/migration_lock.rs", import.meta.url), "utf8").match(/ADVISORY_LOCK: i64 = (0x[0-9A-F_]+)/)[1];

async function serve(url) {
  const port = await freePort();
  const stop = await start(binary, port, { ...settings, DATABASE_URL: url });
  let log = "";
  stop.stderr.on("data", (data) => (log += data));
  return { ...accounts(`http://127.0.0.1:${port}`), ready: async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status, stop, log: () => log };
}

/** Uses accounts on two instances concurrently. Returns the unexpected responses. */
async function useAccounts(instances, round) {
  const wrong = [];
  const expect = (isTrue, what, answer) => isTrue || wrong.push([what, answer]);
  // Few users, so that the hash queue stays short: only the pooler may cause SERVICE_UNAVAILABLE here.
  const users = Array.from({ length: 6 }, (_, index) => `user-${round}-${index}`);
  await Promise.all(
    users.map(async (name, index) => {
      const [here, there] = [instances[index % 2], instances[(index + 1) % 2]];
      const registered = await here.register(name);
      expect(registered.data?.register?.user.username === name, "register", registered);
      const logins = await Promise.all([here.login(name), there.login(name), here.login(name)]);
      for (const login of logins) expect(login.data?.login?.user.username === name, "login", login);
      const pair = logins[0].data?.login;
      if (!pair) return;
      for (let turn = 0; turn < 5; turn += 1) {
        const me = await (turn % 2 ? here : there).me(pair.accessToken);
        expect(me.data?.me?.username === name && me.data.me.sessions.length === 4, "me", me);
      }
      const refreshed = await there.refresh(pair.refreshToken);
      const next = refreshed.data?.refreshToken;
      expect(next?.user.username === name && generation(next) === generation(pair) + 1, "refresh", refreshed);
      if (!next) return;
      const logout = await here.logout(next.refreshToken);
      expect(logout.data?.logout.revokedSessions === 1, "logout", logout);
      const me = await there.me(next.accessToken);
      expect(isRefused(me), "me after logout", me);
    }),
  );
  return wrong;
}

/** Migrates while another session holds the lock for longer than Hallpass's statement timeout, and then serves requests. */
async function testServing(mode, pooling, parameter) {
  const what = `${mode} mode${parameter && " without named statements"}:`;
  const database = await Postgres.create();
  // Before the pooler opens its first connection, which would not have the setting.
  await database.sql("ALTER ROLE hallpass SET statement_timeout = '2s'");
  const { url } = await database.pooler(mode, pooling);
  const release = await database.hold(`SELECT pg_advisory_lock(${BigInt(MIGRATION_LOCK.replaceAll("_", ""))});`);
  const isReleased = sleep(6000).then(release);
  const first = serve(url + parameter);
  const early = await Promise.race([first.then(() => "early", (error) => error.message), sleep(5000)]);
  check(`${what} a migration waits for the lock`, early === undefined, early);
  await isReleased;
  let instances = await Promise.all([first, serve(url + parameter)]);
  check(`${what} both instances are ready`, (await Promise.all(instances.map(({ ready }) => ready()))).every((status) => status === 200));
  for (const round of [1, 2]) {
    const wrong = await useAccounts(instances, round);
    check(`${what} all responses are correct, round ${round}`, wrong.length === 0, wrong.slice(0, 2));
    for (const { log } of instances) check(`${what} no prepared statement conflicts`, !/prepared statement/.test(log()), log().slice(0, 600));
    await Promise.all(instances.map(({ stop }) => stop()));
    if (round === 1) instances = await Promise.all([serve(url + parameter), serve(url + parameter)]);
  }
  const limits = Array.from({ length: 6 }, () => execFileSync("psql", [url, "-XAtqc", "SHOW statement_timeout"], { encoding: "utf8" }).trim());
  check(`${what} Hallpass's session settings do not leak to other clients`, limits.every((limit) => limit === "2s"), limits);
}

/** Locks a table: responses must arrive in time, and no query may keep waiting on the database server. */
async function testLockedTable(mode, pooling, parameter) {
  const what = `${mode} mode, a locked table:`;
  const database = await Postgres.create();
  const { url } = await database.pooler(mode, pooling);
  const here = await serve(url + parameter);
  const { accessToken } = (await here.register("ada")).data.register;
  const release = await database.lockTable();
  const begun = Date.now();
  const answers = await Promise.all(Array.from({ length: 10 }, () => here.me(accessToken)));
  check(`${what} reads get SERVICE_UNAVAILABLE`, answers.every(({ code }) => code === "SERVICE_UNAVAILABLE"), answers);
  check(`${what} the responses arrive within six seconds`, Date.now() - begun < 6000);
  const waiting = () => database.sql("SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'hallpass' AND wait_event_type = 'Lock'");
  let left;
  await until("no query waits", 5, async () => (left = await waiting()) === "0").catch(() => {});
  check(`${what} no query waits on the database server`, left === "0", left);
  await release();
  const after = await Promise.all(Array.from({ length: 20 }, () => here.me(accessToken)));
  check(`${what} reads succeed after the lock is released`, after.every(({ data }) => data?.me?.username === "ada"), after[0]);
  await here.stop();
}

/** Without the parameter, prepared statements conflict. The log must say how to fix it. */
async function testMissingParameter() {
  const what = "transaction mode without the parameter:";
  const database = await Postgres.create();
  const { url } = await database.pooler("transaction", { default_pool_size: 3 });
  // The first instance uses the parameter, because it would have no other statements to conflict with.
  const instances = [await serve(url + PARAMETER)];
  let log = "";
  try {
    for (let turn = 0; turn < 2; turn += 1) instances.push(await serve(url));
    for (let round = 0; round < 5; round += 1) await useAccounts(instances.slice(1), round);
    log = instances.map(({ log }) => log()).join("");
  } catch (error) {
    log = error.message;
  }
  check(`${what} it fails, and the log names the parameter`, /prepared statement.*\?statement-cache-capacity=0/.test(log), log.slice(0, 1000));
}

await testServing("session", {}, "");
await testServing("transaction", { default_pool_size: 3 }, PARAMETER);
await Promise.all([testLockedTable("transaction", { default_pool_size: 3 }, PARAMETER), testLockedTable("session", {}, ""), testMissingParameter()]);
finish();
