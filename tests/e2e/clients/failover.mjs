// A failover of the database: the address leads to another node from now on, while connections to the old one stay open. The
// server follows, and a session that was revoked on the new node is over here, too.
// node failover.mjs <binary>

import { connect, createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { accounts, isRefused } from "./accounts.mjs";
import { check, finish } from "./checks.mjs";
import { freePort, MariaDb, Postgres, until } from "./databases.mjs";
import { start } from "./server.mjs";

const [binary] = process.argv.slice(2);
const settings = { SECRET_KEY: "5d7c1e09b3f84a62c0e9d1f7a8b3425e", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };
// Seconds within which the server follows.
const LIMIT = 10;

/** Leads new connections to `target`, a port. Those that are open stay where they are. */
async function proxy(target) {
  const port = await freePort();
  const address = { port, target };
  const server = createServer((from) => {
    const to = connect(address.target, "127.0.0.1");
    for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy()).on("close", () => other.destroy()).pipe(other);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(address, { close: () => server.close() });
}

async function serve(url) {
  const port = await freePort();
  const stop = await start(binary, port, { ...settings, DATABASE_URL: url });
  const origin = `http://127.0.0.1:${port}`;
  const ready = async () => (await fetch(`${origin}/health/ready`)).status;
  return { ...accounts(origin), ready, stop };
}

/** Reads all the time, several times at once, so that no connection is ever idle. */
function readAlways(server, token) {
  let isOver = false;
  const unexpected = [];
  const reading = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const answer = await server.me(token);
      if (answer?.data?.me?.username !== "ada") unexpected.push(answer);
      await sleep(2);
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(reading);
    return unexpected;
  };
}

async function postgres(probes) {
  const what = `PostgreSQL, ${probes ? "probed" : "not probed"} for readiness:`;
  const primary = await Postgres.create();
  const address = await proxy(primary.port);
  const here = await serve(`postgres://hallpass@127.0.0.1:${address.port}/hallpass`);
  const [kept, revoked] = [(await here.register("ada")).data.register, (await here.login("ada")).data.login];
  const standby = await primary.standby();
  const stopReading = readAlways(here, kept.accessToken);
  await sleep(500);
  check(`${what} it is ready at first`, (await here.ready()) === 200);

  await standby.promote(primary);
  await primary.readOnly();
  if (probes) {
    await until("it is not ready", 5, async () => (await here.ready()) === 503);
    const writing = await here.login("ada");
    check(`${what} the old node refuses writes`, writing.code === "SERVICE_UNAVAILABLE", writing);
    check(`${what} reads go on`, (await here.me(revoked.accessToken)).data?.me?.username === "ada");
  }
  address.target = standby.port;
  const there = await serve(standby.url);
  check(`${what} a session ends on the new node`, (await there.logout(revoked.refreshToken)).data?.logout.revokedSessions === 1);

  let isBack = true;
  await until("a login succeeds", LIMIT, async () => (await here.login("ada")).code === undefined).catch(() => (isBack = false));
  check(`${what} a login succeeds after the switch`, isBack);
  // Again and again: each connection that reads has its own answer.
  const answers = [];
  for (let turn = 0; turn < 40; turn += 1) answers.push(await here.me(revoked.accessToken));
  const stale = answers.filter((answer) => !isRefused(answer));
  check(`${what} the session is over here, too`, stale.length === 0, stale[0]);
  check(`${what} it is ready again`, (await here.ready()) === 200);
  const unexpected = await stopReading();
  check(`${what} no other read failed`, unexpected.length === 0, unexpected[0]);
  const left = await primary.sql(primary.count);
  check(`${what} no connection to the old node is left`, left === "0", left);
  await Promise.all([here.stop(), there.stop()]);
  address.close();
}

async function mariadb() {
  const database = await MariaDb.create();
  const here = await serve(database.url);
  const kept = (await here.register("ada")).data.register;
  const ids = async () => (await database.sql("SELECT id FROM information_schema.processlist WHERE user = 'hallpass'")).split("\n");
  const stopReading = readAlways(here, kept.accessToken);
  await sleep(500);
  const before = new Set(await ids());

  const heal = await database.readOnly();
  const refused = await here.login("ada");
  check("MariaDB: a read-only node refuses writes", refused.code === "SERVICE_UNAVAILABLE", refused);
  check("MariaDB: the server is not ready", (await here.ready()) === 503);
  await heal();
  const login = await here.login("ada");
  check("MariaDB: the next write succeeds", login.code === undefined, login);
  let old;
  await until("all connections are new", LIMIT, async () => (old = (await ids()).filter((id) => before.has(id))).length === 0).catch(() => {});
  check("MariaDB: all connections are new, including read connections", old.length === 0, old);
  const unexpected = await stopReading();
  check("MariaDB: no read failed", unexpected.length === 0, unexpected[0]);
  await here.stop();
}

await Promise.all([postgres(true), postgres(false), mariadb()]);
finish();
