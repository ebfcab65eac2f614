// Tests a database failover: new connections reach another node while connections to the old node stay open. The server must
// reconnect to the new node, and a session revoked there must be rejected.
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
// Seconds within which the server must reconnect.
const LIMIT = 10;

/** Forwards new connections to the port `target`. Open connections stay unchanged when `target` changes. */
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

/** Reads continuously and concurrently, so that no connection is idle. Returns a function that stops and returns unexpected responses. */
function readContinuously(server, token) {
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
  const stopReading = readContinuously(here, kept.accessToken);
  await sleep(500);
  check(`${what} the server is ready initially`, (await here.ready()) === 200);

  await standby.promote(primary);
  await primary.readOnly();
  if (probes) {
    await until("the server is not ready", 5, async () => (await here.ready()) === 503);
    const write = await here.login("ada");
    check(`${what} writes to the old node fail`, write.code === "SERVICE_UNAVAILABLE", write);
    check(`${what} reads still succeed`, (await here.me(revoked.accessToken)).data?.me?.username === "ada");
  }
  address.target = standby.port;
  const there = await serve(standby.url);
  check(`${what} a session can be revoked on the new node`, (await there.logout(revoked.refreshToken)).data?.logout.revokedSessions === 1);

  let isBack = true;
  await until("a login succeeds", LIMIT, async () => (await here.login("ada")).code === undefined).catch(() => (isBack = false));
  check(`${what} a login succeeds after the switch`, isBack);
  // Repeat this, so that every read connection is used.
  const answers = [];
  for (let turn = 0; turn < 40; turn += 1) answers.push(await here.me(revoked.accessToken));
  const stale = answers.filter((answer) => !isRefused(answer));
  check(`${what} the revoked session is rejected`, stale.length === 0, stale[0]);
  check(`${what} the server is ready again`, (await here.ready()) === 200);
  const unexpected = await stopReading();
  check(`${what} no other read failed`, unexpected.length === 0, unexpected[0]);
  const left = await primary.sql(primary.count);
  check(`${what} no connection to the old node remains`, left === "0", left);
  await Promise.all([here.stop(), there.stop()]);
  address.close();
}

async function mariadb() {
  const database = await MariaDb.create();
  const here = await serve(database.url);
  const kept = (await here.register("ada")).data.register;
  const ids = async () => (await database.sql("SELECT id FROM information_schema.processlist WHERE user = 'hallpass'")).split("\n");
  const stopReading = readContinuously(here, kept.accessToken);
  await sleep(500);
  const before = new Set(await ids());

  const makeWritable = await database.readOnly();
  const refused = await here.login("ada");
  check("MariaDB: writes to a read-only node fail", refused.code === "SERVICE_UNAVAILABLE", refused);
  check("MariaDB: the server is not ready", (await here.ready()) === 503);
  await makeWritable();
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
