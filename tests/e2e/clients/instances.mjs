// Runs two instances on one PostgreSQL behind nginx, with the manual's configuration. Tests concurrent refreshes across both, kills
// under load and rolling restarts. No session may be lost, no response may be wrong, and no restart may fail a request.
// node instances.mjs <binary> <postgres url> <page with the nginx configuration>

import { setTimeout as sleep } from "node:timers/promises";
import { accounts, generation, isRefused } from "./accounts.mjs";
import { check, failures, finish } from "./checks.mjs";
import { nginx } from "./nginx.mjs";
import { database } from "./own_database.mjs";
import { start } from "./server.mjs";

const [binary, postgresUrl, page] = process.argv.slice(2);
const PROXY = 8158;
const PORTS = [8156, 8157];
const RACES = 40;
const KILLS = 6;
const ROLLING_RESTARTS = 4;
const WORKERS = 8;
const origin = `http://localhost:${PROXY}`;
const settings = { DATABASE_URL: database(postgresUrl, "instances").url, SECRET_KEY: "4be1c6a8d2f0937ab5e8c1d7f3a96024", PUBLIC_URL: origin, PROXY_HEADER: "x-forwarded-for", TRUSTED_PROXIES: "127.0.0.1", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };

const instances = await Promise.all(PORTS.map((port) => start(binary, port, settings)));
const proxy = await nginx(page, PROXY, PORTS);
const client = accounts(origin);
const direct = PORTS.map((port) => accounts(`http://127.0.0.1:${port}`));

/** Waits until nginx sends requests to this instance. */
async function isServed(index) {
  const until = Date.now() + 20_000;
  while ((await client.me("none"))?.instance !== `127.0.0.1:${PORTS[index]}`) {
    if (Date.now() > until) throw new Error(`nginx does not route to instance ${index}`);
    await sleep(5);
  }
}

async function restart(index) {
  instances[index] = await start(binary, PORTS[index], settings, undefined, instances[index].folder);
  await isServed(index);
}

const counts = { requests: 0, lost: 0, unavailable: 0, kills: 0, stops: 0 };
const wrong = [];

/** Retries a request until there is a response. `isRepeated` is true if an earlier response was lost or unavailable. */
async function ask(request) {
  let isRepeated = false;
  for (const until = Date.now() + 20_000; Date.now() < until; await sleep(10)) {
    counts.requests += 1;
    const answer = await request();
    if (answer && answer.code !== "SERVICE_UNAVAILABLE") return { answer, isRepeated };
    counts[answer ? "unavailable" : "lost"] += 1;
    isRepeated = true;
  }
  throw new Error("no response within 20 s");
}

function expect(isTrue, what, answer) {
  if (!isTrue) wrong.push(`${what}: ${JSON.stringify(answer)}`);
  return isTrue;
}

let named = 0;
async function register() {
  const name = `user${(named += 1)}`;
  const { answer, isRepeated } = await ask(() => client.register(name));
  // The first attempt may have created the account although its response was lost. Then the user can sign in.
  if (isRepeated && answer.code === "USERNAME_TAKEN") return { name, pair: await login(name) };
  expect(answer.data?.register, "register", answer);
  return { name, pair: answer.data?.register };
}

async function login(name) {
  const { answer } = await ask(() => client.login(name));
  expect(answer.data?.login, "login", answer);
  return answer.data?.login;
}

async function refresh({ name, pair }) {
  const { answer } = await ask(() => client.refresh(pair.refreshToken));
  const next = answer.data?.refreshToken;
  expect(next?.user.username === name && generation(next) === generation(pair) + 1, "refresh", answer);
  return { name, pair: next };
}

async function read({ name, pair }) {
  const { answer } = await ask(() => client.me(pair.accessToken));
  expect(answer.data?.me?.username === name, "me", answer);
}

async function logout({ pair }) {
  const { answer, isRepeated } = await ask(() => client.logout(pair.refreshToken));
  const ended = answer.data?.logout?.revokedSessions;
  expect(ended === 1 || (isRepeated && ended === 0), "logout", answer);
  const { answer: reading } = await ask(() => client.me(pair.accessToken));
  expect(isRefused(reading), "access token after logout", reading);
  const { answer: refreshing } = await ask(() => client.refresh(pair.refreshToken));
  expect(refreshing.code === "SESSION_REVOKED", "refresh token after logout", refreshing);
}

/** The active session of each worker. */
const active = [];

/** Registers, refreshes, reads, logs out and signs in through the proxy until `isOver()`. Each worker has its own sessions. */
async function work(index, isOver) {
  let session = await register();
  active[index] = session;
  for (let turn = 1; !isOver() && session.pair; turn += 1) {
    session = active[index] = await refresh(session);
    if (!session.pair) return;
    await read(session);
    if (turn % 10 === 0) {
      await logout(session);
      session = active[index] = { name: session.name, pair: await login(session.name) };
    }
    // The first worker registers a new account in every turn.
    if (index === 0) session = active[index] = await register();
  }
}

/** Runs `incidents` under load. Returns the counts of this period. */
async function underLoad(incidents) {
  let isOver = false;
  const before = { ...counts };
  const working = Array.from({ length: WORKERS }, (_, index) => work(index, () => isOver));
  // Stop all workers if one of them fails.
  const done = Promise.all(working).finally(() => (isOver = true));
  await Promise.race([done, incidents()]);
  isOver = true;
  await done;
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count - before[name]]));
}

// Races.
let session = await register();
const raced = { requests: 0, wrong: 0, instances: new Set() };
for (let race = 0; race < RACES; race += 1) {
  const answers = await Promise.all(Array.from({ length: 12 }, () => client.refresh(session.pair.refreshToken)));
  raced.requests += answers.length;
  const successors = new Set(answers.map((answer) => answer?.data?.refreshToken?.refreshToken));
  const next = answers[0]?.data?.refreshToken;
  const isRight = successors.size === 1 && next && generation(next) === generation(session.pair) + 1;
  if (!isRight) {
    raced.wrong += 1;
    wrong.push(`concurrent refresh: ${successors.size} successors, ${JSON.stringify(answers.find((answer) => !answer?.data?.refreshToken))}`);
    session = await register();
    continue;
  }
  for (const answer of answers) raced.instances.add(answer.instance);
  session.pair = next;
  await read(session);
}
check(`${RACES} rounds of twelve concurrent refreshes (${raced.requests} requests to ${raced.instances.size} instances) return one successor per round`, raced.wrong === 0 && raced.instances.size === 2);

// Changes on one instance are visible on the other.
let stale = 0;
for (let turn = 0; turn < 20; turn += 1) {
  const [here, there] = turn % 2 ? direct : [...direct].reverse();
  const pair = (await here.login(session.name)).data?.login;
  const isLive = (await there.me(pair?.accessToken)).data?.me?.username === session.name;
  await here.logout(pair?.refreshToken);
  const [read, refreshed] = await Promise.all([there.me(pair?.accessToken), there.refresh(pair?.refreshToken)]);
  if (!isLive || !isRefused(read) || refreshed.code !== "SESSION_REVOKED") stale += 1;
}
check("a logout on one instance takes effect immediately on the other, 20 times", stale === 0);

// Kills.
const killing = await underLoad(async () => {
  for (; counts.kills < KILLS; counts.kills += 1) {
    const victim = counts.kills % 2;
    await sleep(300 + Math.random() * 700);
    await instances[victim].kill();
    // Let the other instance serve alone for a while.
    await sleep(200 + Math.random() * 300);
    await restart(victim);
  }
});
check(`${killing.kills} kills: of ${killing.requests} requests, ${killing.lost} got no response and ${killing.unavailable} got SERVICE_UNAVAILABLE; no response was wrong`, wrong.length === 0);
check("the kills had an effect: some requests were lost", killing.lost > 0);

// Rolling restarts.
const rolling = await underLoad(async () => {
  for (let turn = 0; turn < ROLLING_RESTARTS * 2; turn += 1) {
    await sleep(100 + Math.random() * 400);
    await instances[turn % 2]();
    counts.stops += 1;
    await restart(turn % 2);
  }
});
check(`${ROLLING_RESTARTS} rolling restarts, ${rolling.stops} stops: of ${rolling.requests} requests, ${rolling.lost} got no response and ${rolling.unavailable} got SERVICE_UNAVAILABLE`, rolling.lost + rolling.unavailable === 0);
check("no response was wrong", wrong.length === 0);

// All sessions and accounts still work.
for (const session of active) {
  if (!session.pair) continue;
  await read(await refresh(session));
  await login(session.name);
}
for (let number = 1; number <= named; number += 1) await login(`user${number}`);
check(`${active.length} sessions can be refreshed, ${named} accounts can sign in`, wrong.length === 0 && active.every((session) => session.pair));

for (const what of wrong.slice(0, 10)) console.log(what);
if (failures() > 0) console.log(proxy.log().split("\n").slice(-20).join("\n"));
await proxy.stop();
await Promise.all(instances.map((stop) => stop()));
finish();
