// Injects faults into private databases under load: stopped, killed, paused, full or locked. A response may be late or
// SERVICE_UNAVAILABLE, but never wrong. Service must recover after each fault.
// node outages.mjs <binary> [part of a fault's name] [number of aborted requests]

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { check, finish } from "./checks.mjs";
import { freePort, MariaDb, Postgres, Sqlite, until } from "./databases.mjs";
import { start } from "./server.mjs";

const [binary, only = "", disconnects = "300"] = process.argv.slice(2);
const MAX_LATENCY_MS = 6000;
const MAX_RECOVERY_MS = 5000;
const PASSWORD = "correct horse battery";
const SECRET_KEY = "9b1c0f5e7a3d48d2b6e4f1a07c83d95e2f6a4b0c";

const text = JSON.stringify;
const documents = {
  register: (name) => `mutation { register(input: {username: ${text(name)}, password: ${text(PASSWORD)}, tokenDelivery: BODY}) { user { username } } }`,
  login: (name, password) => `mutation { login(input: {username: ${text(name)}, password: ${text(password)}, tokenDelivery: BODY}) { accessToken refreshToken user { username } } }`,
  refresh: (token) => `mutation { refreshToken(input: {refreshToken: ${text(token)}}) { refreshToken user { username } } }`,
  logout: (token) => `mutation { logout(input: {refreshToken: ${text(token)}}) { revokedSessions } }`,
  requestPasswordReset: (email) => `mutation { requestPasswordReset(input: {email: ${text(email)}}) { email } }`,
  me: () => "{ me { username } }",
};

/** One server on one database, with the responses that clients received. */
class Instance {
  answers = [];
  /** The time of the first success of each kind of request since the last reset. */
  successes = new Map();
  registered = new Set();
  uncertain = new Set();
  ended = [];
  names = 0;

  constructor(database) {
    this.database = database;
  }

  async open() {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    this.stop = await start(binary, port, { DATABASE_URL: this.database.url, SECRET_KEY, BCRYPT_COST: "10", RUST_LOG: "warn,hallpass=info" });
    const owner = await this.ask("register", documents.register("ada"));
    if (owner.code) throw new Error(`cannot register ada: ${owner.code}`);
    this.bearer = (await this.ask("login", documents.login("ada", PASSWORD))).data.login.accessToken;
  }

  /** Sends a request and records its response. */
  async ask(what, query, { bearer, path = "/graphql" } = {}) {
    const begun = Date.now();
    const answer = { what, begun };
    try {
      const init = path === "/graphql" ? { method: "POST", body: text({ query }), headers: { "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) } } : {};
      const response = await fetch(this.url + path, { ...init, signal: AbortSignal.timeout(15_000) });
      answer.status = response.status;
      const type = response.headers.get("content-type") ?? "";
      const body = await response.json();
      Object.assign(answer, { data: body.data, ms: Date.now() - begun, ended: Date.now() });
      const error = body.errors?.[0];
      answer.code = error?.extensions.code;
      answer.isWellFormed = type.includes("json") && !(error && body.data?.[Object.keys(body.data)[0]]);
      if (answer.code === "SERVICE_UNAVAILABLE") {
        answer.isWellFormed &&= error.extensions.retryAfter >= 1 && Number(response.headers.get("retry-after")) >= 1;
      }
    } catch (error) {
      Object.assign(answer, { code: `no response: ${error.cause?.code ?? error.message}`, ms: Date.now() - begun, ended: Date.now() });
    }
    this.answers.push(answer);
    return answer;
  }

  /** The request that each worker repeats, by kind. Each returns whether it succeeded. */
  get work() {
    const name = () => `u${(this.names += 1)}`;
    const success = (answer) => answer.code === undefined;
    const signIn = async (what) => (await this.ask(what, documents.login("ada", PASSWORD))).data?.login?.refreshToken;
    let current;
    let toEnd;
    return {
      live: async () => (await this.ask("live", "", { path: "/health/live" })).status === 200,
      ready: async () => (await this.ask("ready", "", { path: "/health/ready" })).status === 200,
      me: async () => success(await this.ask("me", documents.me(), { bearer: this.bearer })),
      right: async () => success(await this.ask("right", documents.login("ada", PASSWORD))),
      wrong: async () => (await this.ask("wrong", documents.login("ada", "wrong horse battery"))).code === "INVALID_CREDENTIALS",
      unknown: async () => (await this.ask("unknown", documents.login("nobody", PASSWORD))).code === "INVALID_CREDENTIALS",
      register: async () => {
        const fresh = name();
        this.uncertain.add(fresh);
        const answer = await this.ask("register", documents.register(fresh));
        if (!success(answer)) return false;
        this.uncertain.delete(fresh);
        this.registered.add(fresh);
        return true;
      },
      // Keeps its token until it receives the next one, as a client does.
      refresh: async () => {
        current ??= await signIn("right");
        if (!current) return false;
        const answer = await this.ask("refresh", documents.refresh(current));
        if (!success(answer)) return false;
        current = answer.data.refreshToken.refreshToken;
        return true;
      },
      logout: async () => {
        toEnd ??= await signIn("right");
        if (!toEnd || !success(await this.ask("logout", documents.logout(toEnd)))) return false;
        this.ended.push(toEnd);
        // Sign in now, so that there is usually a session to end when the fault starts.
        toEnd = await signIn("right");
        return true;
      },
    };
  }

  /** Whether a response is the normal one or, where allowed, SERVICE_UNAVAILABLE. */
  static isCorrect({ what, status, code, data }) {
    if (what === "live") return status === 200 && code === undefined;
    if (what === "ready") return (status === 200 || status === 503) && code === undefined;
    if (code === "SERVICE_UNAVAILABLE") return status === 200 || status === 503;
    if (status !== 200) return false;
    if (what === "wrong" || what === "unknown") return code === "INVALID_CREDENTIALS";
    if (what === "me") return data?.me?.username === "ada";
    return code === undefined && Object.values(data ?? {})[0] !== null;
  }

  /** Injects a fault under load, removes it and checks all responses. */
  async testFault({ name, inject, seconds, refused = [], isUnready = false }) {
    const what = `${this.database.name}, ${name}:`;
    const { work } = this;
    this.answers = [];
    this.successes.clear();
    this.registered.clear();
    this.uncertain.clear();
    this.ended = [];
    let isOver = false;
    const workers = Object.entries(work).map(async ([kind, once]) => {
      while (!isOver) {
        if (await once()) this.successes.set(kind, this.successes.get(kind) ?? Date.now());
        await sleep(100);
      }
    });
    const allSucceed = (limit) => until("every kind of request succeeds", limit, () => this.successes.size === workers.length);
    await allSucceed(20);

    const recover = await inject(this.database, this);
    const from = Date.now();
    await sleep(seconds * 1000);
    const to = Date.now();
    await recover();
    const recovered = Date.now();
    this.successes.clear();
    await allSucceed(30).catch(() => {});
    const recovery = Object.keys(work).map((kind) => [kind, (this.successes.get(kind) ?? Infinity) - recovered]);
    isOver = true;
    await Promise.all(workers);

    const during = this.answers.filter(({ ended, begun }) => ended > from && begun < to);
    const slowest = Math.max(...this.answers.map(({ ms }) => ms));
    const late = this.answers.filter(({ ms }) => ms > MAX_LATENCY_MS);
    check(`${what} every response arrives within ${MAX_LATENCY_MS} ms`, late.length === 0, text(late.slice(0, 3)));
    const incorrect = this.answers.filter((answer) => !Instance.isCorrect(answer) || !answer.isWellFormed);
    check(`${what} no response is wrong`, incorrect.length === 0, text(incorrect.slice(0, 3)));
    // Otherwise the fault had no effect.
    for (const kind of refused) {
      check(`${what} ${kind} receives SERVICE_UNAVAILABLE`, during.some(({ what, code }) => what === kind && code === "SERVICE_UNAVAILABLE"));
    }
    if (isUnready) {
      const inside = this.answers.filter(({ what, begun, ended }) => what === "ready" && begun > from + 500 && ended < to);
      check(`${what} the server is not ready`, inside.length > 0 && inside.every(({ status }) => status === 503), text(inside.slice(0, 3)));
    }
    const slowestRecovery = recovery.reduce((worst, one) => (one[1] > worst[1] ? one : worst));
    check(`${what} service recovers within ${MAX_RECOVERY_MS} ms`, slowestRecovery[1] <= MAX_RECOVERY_MS, text(recovery));
    await this.checkConsistency(what);
    const refusals = this.answers.filter(({ code }) => code === "SERVICE_UNAVAILABLE").length;
    console.log(`done ${what} ${this.answers.length} responses, ${refusals} of them SERVICE_UNAVAILABLE, slowest ${slowest} ms; recovered after ${Math.max(0, slowestRecovery[1])} ms (${slowestRecovery[0]})`);
  }

  /** Sends `count` requests that write, and closes each connection midway. Later requests must be unaffected. */
  async testDisconnects(count) {
    const what = `${this.database.name}, ${count} disconnects:`;
    this.answers = [];
    const { port, hostname } = new URL(this.url);
    let left = count;
    const client = async () => {
      while (left-- > 0) {
        // Most requests hash no password, which keeps the hash queue short.
        const [query, longest] =
          { 0: [documents.login("ada", PASSWORD), 150], 1: [documents.register(`h${left}`), 150] }[left % 8] ??
          [documents.requestPasswordReset(`h${left}@example.org`), 15];
        const body = text({ query });
        const socket = connect(Number(port), hostname).on("error", () => {});
        socket.write(`POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        await sleep(Math.random() * longest);
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: 15 }, client));
    const login = () => this.ask("right", documents.login("ada", PASSWORD));
    // The hashes of disconnected clients are still queued.
    await until(`${what} a login succeeds`, 30, async () => (await login()).code === undefined);
    // As many as there are write connections.
    const codes = (await Promise.all(Array.from({ length: 5 }, login))).map(({ code }) => code);
    check(`${what} five logins succeed at once`, codes.every((code) => code === undefined), text(codes));
    check(`${what} the server is ready`, (await this.ask("ready", "", { path: "/health/ready" })).status === 200);
    const wrong = this.answers.filter(({ status }) => status === 500);
    check(`${what} no response has status 500`, wrong.length === 0, text(wrong.slice(0, 3)));
    const { openTransactions } = this.database;
    if (openTransactions) await until(`${what} no transaction is left open`, 10, async () => (await this.database.sql(openTransactions)) === "0");
    console.log(`done ${what}`);
  }

  /** Checks that acknowledged writes are stored, and that unacknowledged ones are complete or absent. */
  async checkConsistency(what) {
    const { registered, uncertain, ended } = this;
    const lost = [];
    for (const name of registered) {
      const { code } = await this.ask("verify", documents.login(name, PASSWORD));
      if (code) lost.push([name, code]);
    }
    check(`${what} every acknowledged user can sign in`, lost.length === 0 && registered.size > 0, text(lost));
    const halves = [];
    for (const name of uncertain) {
      const { code } = await this.ask("verify", documents.login(name, PASSWORD));
      if (code === undefined) continue;
      const again = await this.ask("verify", documents.register(name));
      if (code !== "INVALID_CREDENTIALS" || again.code) halves.push([name, code, again.code]);
    }
    check(`${what} every other user can sign in or register again`, halves.length === 0, text(halves));
    const revived = [];
    for (const token of ended) {
      const { code } = await this.ask("verify", documents.refresh(token));
      if (code !== "SESSION_REVOKED") revived.push(code);
    }
    check(`${what} ended sessions stay revoked`, revived.length === 0 && ended.length > 0, text(revived));
    const half = await this.database.sql(
      "SELECT COUNT(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id) OR NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.user_id = u.id AND a.action = 'USER_REGISTERED')",
    );
    check(`${what} every account has a session and an audit event`, half === "0", half);
  }
}

// Without logout, which may have no session to end by then.
const writes = ["right", "register", "refresh"];
const all = ["me", "wrong", "unknown", ...writes];
const restart = (database) => database.start();
/** Locks rows, with 12 more sign-ins that wait for them. */
const lockRows = async (database, instance) => {
  const release = await database.lockRows();
  const logins = Array.from({ length: 12 }, () => instance.ask("right", documents.login("ada", PASSWORD)));
  return async () => {
    await release();
    await Promise.all(logins);
  };
};

const faults = [
  { name: "stopped", seconds: 6, refused: all, isUnready: true, inject: async (database) => (await database.stop(), () => restart(database)) },
  { name: "killed", seconds: 6, refused: all, isUnready: true, inject: async (database) => (await database.kill(), () => restart(database)) },
  { name: "paused", seconds: 8, refused: all, isUnready: true, inject: async (database) => (database.pause(), () => database.resume()) },
  {
    name: "connections terminated again and again",
    seconds: 3,
    inject: async (database) => {
      let isOver = false;
      const terminating = (async () => {
        while (!isOver) await database.terminate();
      })();
      return () => ((isOver = true), terminating);
    },
  },
  { name: "connections exhausted", seconds: 6, refused: all, isUnready: true, inject: (database) => database.exhaust() },
  // Readiness is not checked from here on, because it depends on whether a write connection is free.
  { name: "table locked", seconds: 8, refused: all, inject: (database) => database.lockTable() },
  // The audit event is the last write of a registration. All earlier writes must be rolled back.
  { name: "audit log locked", seconds: 8, refused: ["right", "register"], inject: (database) => database.lockAuditLog() },
  // Run twice: leftovers of the first run would affect the second.
  { name: "rows locked", seconds: 6, refused: ["right", "refresh"], inject: lockRows },
  { name: "rows locked again", seconds: 6, refused: ["right", "refresh"], inject: lockRows },
  { name: "read-only", seconds: 3, refused: writes, isUnready: true, inject: (database) => database.readOnly() },
];

const diskFull = {
  name: "disk full",
  seconds: 5,
  refused: ["register"],
  inject: async (database) => {
    database.disk.fill();
    await database.writeUntilFull();
    database.disk.fill();
    return async () => {
      database.disk.free();
      // A server may exit when it cannot write its log. The operator restarts it after freeing space.
      if (!database.isRunning) await restart(database);
      await until(`${database.name} accepts queries`, 20, () => database.sql("SELECT 1"));
    };
  },
};

async function testDatabase(create, faults) {
  const database = await create();
  const instance = new Instance(database);
  await instance.open();
  const { disk } = database;
  if (!disk.isOwn) console.log(`SKIPPED ${database.name}, disk full: cannot mount a tmpfs`);
  for (const fault of [...faults, ...(disk.isOwn ? [diskFull] : [])]) {
    if (`${database.name}, ${fault.name}`.includes(only)) await instance.testFault(fault);
  }
  // Last, because its leftover rows would provide free space on a full disk.
  if (`${database.name}, disconnects`.includes(only)) await instance.testDisconnects(Number(disconnects));
  await instance.stop();
  check(`${database.name}: the server survives all faults`, true);
}

await Promise.all([
  testDatabase(Postgres.create, faults),
  testDatabase(MariaDb.create, faults),
  testDatabase(Sqlite.create, [{ name: "locked by another process", seconds: 9, refused: writes, isUnready: true, inject: (database) => database.lockFile() }]),
]);
finish();
