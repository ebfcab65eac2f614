// Upgrades from an earlier version, and returns to it, by the steps of docs/operations/upgrades.md: two instances behind nginx on PostgreSQL
// and on MariaDB, and one instance on SQLite. If all new migrations are additive, the instances are replaced one after the other under
// load, and no request may fail. Otherwise all instances stop first. Either way, no acknowledged write, session or mail may be lost.
// node upgrade.mjs <earlier binary> <binary> <postgres url> <mysql url> <page with the nginx configuration> <changelog> [rolling]
// With `rolling`, it fails if a new migration is not additive.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { accounts, generation, isRefused } from "./accounts.mjs";
import { authority, certificate } from "./certificates.mjs";
import { check, failures, finish } from "./checks.mjs";
import { linkIn, mailServer } from "./mail_server.mjs";
import { nginx } from "./nginx.mjs";
import { database } from "./own_database.mjs";
import { emptyFolder, start } from "./server.mjs";

const [older, newer, postgresUrl, mysqlUrl, page, changelog, expected] = process.argv.slice(2);
const PROXY = 8231;
const PORTS = [8232, 8233];
const ALONE = 8234;
const SMTP = 8235;
const WORKERS = 5;
// Milliseconds of load in each phase.
const PHASE = 1500;

const ca = authority("ours");
const [cert, key] = certificate("ours", "localhost").map((file) => readFileSync(file));
const mailbox = mailServer({ secure: true, cert, key, onAuth: ({ username }, session, done) => done(null, { user: username }) });
await mailbox.listen(SMTP);
const common = {
  SECRET_KEY: "e2a5b8c1d4f7096a3c6e9b2d5f8a1c4e",
  SMTP_URL: `smtps://hallpass:secret@localhost:${SMTP}?ca=${ca}`,
  MAIL_FROM: "Hallpass <accounts@example.org>",
  DEV_MAIL: "false",
  BCRYPT_COST: "10",
  RUST_LOG: "warn,hallpass::cli=info",
};
const proxied = { ...common, PUBLIC_URL: `http://localhost:${PROXY}`, PROXY_HEADER: "x-forwarded-for", TRUSTED_PROXIES: "127.0.0.1" };

/** Runs a command of `binary`. */
function run(binary, url, ...parameters) {
  const { status, stdout, stderr } = spawnSync(resolve(binary), parameters, { cwd: emptyFolder(), env: { DATABASE_URL: url, SECRET_KEY: common.SECRET_KEY }, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** The migrations in the output of `migrate` whose lines begin with `state`. */
const listed = ({ stdout }, state) => stdout.split("\n").filter((line) => line.startsWith(`${state} `)).map((line) => line.replace(/^\w+ +/, ""));

/** Instances on one database, behind nginx if there are several. */
class Installation {
  constructor(url, kind, ports) {
    Object.assign(this, { url, kind, ports, folder: emptyFolder(), running: [], versions: [], unexpected: [] });
    this.origin = `http://localhost:${ports.length > 1 ? PROXY : ports[0]}`;
    this.settings = { ...(ports.length > 1 ? proxied : { ...common, PUBLIC_URL: this.origin }), DATABASE_URL: url };
    this.client = accounts(this.origin);
    this.direct = ports.map((port) => accounts(`http://127.0.0.1:${port}`));
  }

  async start(index, binary, parameters = ["serve"]) {
    const stop = await start(binary, this.ports[index], this.settings, undefined, this.folder, parameters);
    stop.stderr.on("data", (data) => this.unexpected.push(...String(data).split("\n").filter((line) => / (ERROR|WARN) /.test(line))));
    this.running[index] = stop;
    this.versions[index] = binary === older ? "older" : "newer";
  }

  async startAll(binary) {
    await Promise.all(this.ports.map((_, index) => this.start(index, binary)));
    if (this.ports.length > 1) this.proxy ??= await nginx(page, PROXY, this.ports);
    // nginx does not use an instance within a second after it has refused a connection.
    for (const index of this.ports.keys()) await this.isServed(index);
  }

  stopAll() {
    return Promise.all(this.running.map((stop) => stop()));
  }

  /** Waits until nginx sends requests to this instance. */
  async isServed(index) {
    if (!this.proxy) return;
    for (const until = Date.now() + 20_000; !(await this.client.me("none"))?.instance?.endsWith(`:${this.ports[index]}`); await sleep(5)) {
      if (Date.now() > until) throw new Error(`nginx does not route to instance ${index}`);
    }
  }

  /** The manual's steps of a restart, but with another version. */
  async replace(index, binary, parameters) {
    await this.running[index]();
    await this.start(index, binary, parameters);
    await this.isServed(index);
  }

  /** The version that sent this answer. */
  versionOf({ instance }) {
    return this.versions[instance ? this.ports.findIndex((port) => instance.endsWith(`:${port}`)) : 0];
  }

  ready(index) {
    return fetch(`http://127.0.0.1:${this.ports[index]}/health/ready`).then(({ status }) => status);
  }
}

const UPDATE = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { firstName } } }";
const PROFILE = "{ me { username firstName email emailVerified } }";
const VERIFY = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { user { username } } }";

/** Users who send requests without pause, and what Hallpass has acknowledged to them. */
class Load {
  constructor(installation) {
    Object.assign(this, { installation, client: installation.client, users: [], ended: [], failed: [], wrong: [], requests: 0 });
    /** How often a version accepted a token of the other one: "older access token on newer" and so on. */
    this.crossed = {};
  }

  /** Sends a request, and repeats it if it fails. */
  async ask(what, request) {
    for (const until = Date.now() + 20_000; Date.now() < until; await sleep(20)) {
      this.requests += 1;
      const answer = await request();
      if (answer && answer.code !== "SERVICE_UNAVAILABLE") return answer;
      this.failed.push(`${what}: ${answer ? JSON.stringify(answer) : "no response"}`);
    }
    throw new Error(`${what}: no response within 20 s`);
  }

  expect(isTrue, what, answer) {
    if (!isTrue) this.wrong.push(`${what}: ${JSON.stringify(answer)}`);
    return isTrue;
  }

  cross(pair, token, answer) {
    const version = this.installation.versionOf(answer);
    if (pair.version === version) return;
    const name = `${pair.version} ${token} token on ${version}`;
    this.crossed[name] = (this.crossed[name] ?? 0) + 1;
  }

  issued(answer, pair) {
    return { ...pair, version: this.installation.versionOf(answer) };
  }

  async register() {
    const name = `user${this.users.length + 1}`;
    const user = { name, email: `${name}@${this.installation.kind.toLowerCase()}.example`, firstName: null, isVerified: false };
    this.users.push(user);
    const answer = await this.ask("register", () => this.client.register(name, user.email));
    if (this.expect(answer.data?.register, "register", answer)) user.pair = this.issued(answer, answer.data.register);
    return user;
  }

  async login(user) {
    const answer = await this.ask("login", () => this.client.login(user.name));
    if (this.expect(answer.data?.login?.user.username === user.name, "login", answer)) return this.issued(answer, answer.data.login);
  }

  async refresh(user) {
    const answer = await this.ask("refresh", () => this.client.refresh(user.pair.refreshToken));
    const next = answer.data?.refreshToken;
    if (!this.expect(next?.user.username === user.name && generation(next) === generation(user.pair) + 1, "refresh", answer)) return;
    this.cross(user.pair, "refresh", answer);
    user.pair = this.issued(answer, next);
  }

  async read(user) {
    const answer = await this.ask("me", () => this.client.send(PROFILE, undefined, user.pair.accessToken));
    const me = answer.data?.me;
    const isRight = me?.username === user.name && me.firstName === user.firstName && me.email === user.email && me.emailVerified === user.isVerified;
    if (this.expect(isRight, `me of ${user.name}, with the name ${user.firstName}${user.isVerified ? " and a verified address" : ""}`, answer)) this.cross(user.pair, "access", answer);
  }

  async update(user, firstName) {
    const answer = await this.ask("updateProfile", () => this.client.send(UPDATE, { firstName }, user.pair.accessToken));
    if (this.expect(answer.data?.updateProfile?.user.firstName === firstName, "updateProfile", answer)) user.firstName = firstName;
  }

  /** Signs in a second time, and out again. */
  async visit(user) {
    const pair = await this.login(user);
    if (!pair) return;
    const answer = await this.ask("logout", () => this.client.logout(pair.refreshToken));
    if (this.expect(answer.data?.logout?.revokedSessions === 1, "logout", answer)) this.ended.push(pair);
  }

  async work(index, isOver) {
    let user = (this.regulars ??= [])[index] ??= await this.register();
    for (let turn = 1; !isOver(); turn += 1) {
      await this.refresh(user);
      await this.read(user);
      await this.update(user, `turn ${this.requests}`);
      await this.read(user);
      if (turn % 4 === 0) await this.visit(user);
      // The first worker registers a new account in every turn.
      if (index === 0) user = this.regulars[0] = await this.register();
    }
  }

  /** Runs `action` under load, with some load before and after it. */
  async during(action = async () => {}) {
    let isOver = false;
    const working = Promise.all(Array.from({ length: WORKERS }, (_, index) => this.work(index, () => isOver))).finally(() => (isOver = true));
    const acting = (async () => {
      await sleep(PHASE);
      await action();
      await sleep(PHASE);
    })();
    await Promise.race([working, acting]);
    isOver = true;
    await Promise.all([working, acting]);
  }

  /** Checks that all that was acknowledged is there. */
  async isComplete(when) {
    const { kind } = this.installation;
    const before = this.wrong.length;
    for (const user of this.users) {
      await this.refresh(user);
      await this.read(user);
      if (user.isVerified) continue;
      const [mail] = await mailbox.mailsTo(user.email, 1, 30_000);
      const token = new URL(linkIn(mail)).searchParams.get("token");
      const answer = await this.ask("verifyEmail", () => this.client.send(VERIFY, { token }));
      if (this.expect(answer.data?.verifyEmail, "verifyEmail", answer)) user.isVerified = true;
      await this.read(user);
    }
    for (const pair of this.ended) {
      const [read, refreshed] = [await this.client.me(pair.accessToken), await this.client.refresh(pair.refreshToken)];
      this.expect(isRefused(read) && refreshed.code === "SESSION_REVOKED", "a session that has ended", { read, refreshed });
    }
    // A password hash takes longest, so only the latest users sign in.
    for (const user of this.users.slice(-20)) {
      const pair = await this.login(user);
      if (pair) await this.client.logout(pair.refreshToken);
    }
    const again = this.users.filter(({ email }) => mailbox.mails.filter(({ to }) => to === email).length !== 1);
    this.expect(again.length === 0, "not exactly one mail", again.map(({ email }) => email));
    check(`${kind}, ${when}: ${this.users.length} users with their changes, sessions and mails are there, and ${this.ended.length} sessions stay ended`, this.wrong.length === before, this.wrong.slice(0, 3));
  }

  /** Checks the requests so far. */
  answered(when) {
    const { kind } = this.installation;
    check(`${kind}, ${when}: of ${this.requests} requests, ${this.failed.length} failed; no response was wrong`, this.failed.length === 0 && this.wrong.length === 0, this.failed.slice(0, 3), this.wrong.slice(0, 3));
  }
}

/** Checks that tokens and changes of one version work on the other at once. The first instance runs the one, the second the other version. */
async function crossVersions({ kind, direct, versions }, users) {
  let wrong = [];
  for (const [here, there] of [[0, 1], [1, 0]].map((pair) => pair.map((index) => direct[index]))) {
    for (const { name } of users) {
      const first = (await here.login(name)).data?.login;
      const read = await there.me(first?.accessToken);
      const second = (await there.refresh(first?.refreshToken)).data?.refreshToken;
      const third = second && (await here.refresh(second.refreshToken)).data?.refreshToken;
      const repeated = second && (await there.refresh(second.refreshToken)).data?.refreshToken;
      const both = third && (await Promise.all([here, there].map((client) => client.me(third.accessToken))));
      await there.logout(third?.refreshToken);
      const [refused, revoked] = [await here.me(third?.accessToken), await here.refresh(third?.refreshToken)];
      const isRight = read.data?.me && generation(third ?? first) === 2 && repeated?.refreshToken === third?.refreshToken && both?.every(({ data }) => data?.me) && isRefused(refused) && revoked.code === "SESSION_REVOKED";
      if (!isRight) wrong.push({ name, read, second: Boolean(second), third: Boolean(third), both, refused, revoked });
    }
  }
  check(`${kind}: sessions of the ${versions[0]} version are read, refreshed and ended on the ${versions[1]} one, and the other way around`, wrong.length === 0, wrong[0]);
}

/** What the earlier version does on a database of this one. Returns the new migrations, and whether all are additive. */
async function compareVersions(url) {
  const { url: scratch } = database(url, "versions");
  run(older, scratch, "migrate", "up");
  const pending = listed(run(newer, scratch, "migrate", "status"), "pending");
  const stop = await start(older, ALONE, { ...common, PUBLIC_URL: `http://localhost:${ALONE}`, DATABASE_URL: scratch });
  const noMigrate = pending.length > 0 && run(newer, scratch, "serve", "--no-migrate");
  if (noMigrate) check("this version refuses to start with `--no-migrate` while migrations are missing", noMigrate.status === 1 && noMigrate.stderr.includes("lacks migrations"), noMigrate);
  const migrated = run(newer, scratch, "migrate", "up");
  check("this version migrates the database of the earlier one", migrated.status === 0 && listed(migrated, "pending").length === 0, migrated.stderr);
  const unknown = listed(run(older, scratch, "migrate", "status"), "unknown");
  const breaking = unknown.filter((line) => !line.endsWith("(additive)"));
  const { status } = await fetch(`http://127.0.0.1:${ALONE}/health/ready`);
  const up = run(older, scratch, "migrate", "up");
  const users = run(older, scratch, "user", "list");
  await stop();
  if (breaking.length === 0) {
    check("an earlier instance stays ready, and its commands work", status === 200 && up.status === 0 && users.status === 0, status, up.stderr, users.stderr);
  } else {
    const refuses = ({ status, stderr }) => status === 1 && stderr.includes("newer than this version");
    check("an earlier instance is not ready any more, and its commands refuse to run", status === 503 && refuses(up) && refuses(users), status, up.stderr, users.stderr);
  }
  const text = readFileSync(changelog, "utf8");
  const unnamed = breaking.filter((name) => !text.includes(`\`${name}\``));
  check(`new migrations: ${pending.length}, not additive: ${breaking.length}, all of them named by the changelog`, unnamed.length === 0, unnamed);
  if (expected === "rolling") check("a rolling upgrade is possible", breaking.length === 0 && pending.length > 0, breaking);
  return { steps: pending.length, isAdditive: breaking.length === 0 };
}

/** `migrate down` by this version. */
function revert({ kind, url }, steps) {
  const reverted = run(newer, url, "migrate", "down", "--steps", String(steps), "--yes");
  check(`${kind}: this version reverts its migrations`, reverted.status === 0 && listed(reverted, "pending").length === steps, reverted.stderr);
}

/** Replaces the instances one after the other under load, and returns to the earlier version the same way. */
async function roll(installation, steps, isMigratedFirst) {
  const { kind } = installation;
  const load = new Load(installation);
  await installation.startAll(older);
  await load.during();
  await load.during(async () => {
    if (isMigratedFirst) {
      const migrated = run(newer, installation.url, "migrate", "up");
      check(`${kind}: this version migrates beside two earlier instances`, migrated.status === 0, migrated.stderr);
      await sleep(PHASE);
    }
    await installation.replace(0, newer, isMigratedFirst ? ["serve", "--no-migrate"] : undefined);
    check(`${kind}: the earlier instance stays ready beside the new one`, (await installation.ready(1)) === 200);
    await sleep(PHASE);
    await crossVersions(installation, load.users.slice(0, 3));
    await installation.replace(1, newer);
  });
  load.answered("rolling upgrade");
  await load.isComplete("after the upgrade");
  await load.during(async () => {
    await installation.replace(0, older);
    await sleep(PHASE);
    await installation.replace(1, older);
    await sleep(PHASE);
    revert(installation, steps);
  });
  load.answered("rolling return");
  await load.isComplete("after the return");
  const wanted = ["older", "newer"].flatMap((version) => ["access", "refresh"].map((token) => `${version} ${token} token on ${version === "older" ? "newer" : "older"}`));
  check(`${kind}: under load, each version accepted tokens of the other: ${JSON.stringify(load.crossed)}`, wanted.every((name) => load.crossed[name] > 0));
  return load;
}

/** Stops all instances before the upgrade, and before the return to the earlier version. */
async function restart(installation, steps) {
  const load = new Load(installation);
  await installation.startAll(older);
  await load.during();
  await installation.stopAll();
  // The instances start at the same time: one migrates while the others wait.
  await installation.startAll(newer);
  await load.during();
  load.answered("upgrade with a stop");
  await load.isComplete("after the upgrade");
  await installation.stopAll();
  if (steps > 0) revert(installation, steps);
  await installation.startAll(older);
  await load.during();
  load.answered("return with a stop");
  await load.isComplete("after the return");
  return load;
}

/** Upgrades and returns, and checks the logs. */
async function upgrade(installation, action) {
  await action(installation);
  await installation.stopAll();
  const { kind, unexpected, proxy } = installation;
  check(`${kind}: no instance has logged an error or a warning`, unexpected.length === 0, unexpected.slice(0, 5));
  if (proxy && failures() > 0) console.log(proxy.log().split("\n").slice(-20).join("\n"));
  await proxy?.stop();
}

const { steps, isAdditive } = await compareVersions(postgresUrl);
for (const [url, isMigratedFirst] of [[postgresUrl, false], [mysqlUrl, true]]) {
  const { url: mine, kind } = database(url, "upgrade");
  await upgrade(new Installation(mine, kind, PORTS), (installation) => (isAdditive ? roll(installation, steps, isMigratedFirst) : restart(installation, steps)));
}
await upgrade(new Installation(`sqlite://${emptyFolder()}/hallpass.db`, "SQLite", [ALONE]), (installation) => restart(installation, steps));
mailbox.close();
finish();
