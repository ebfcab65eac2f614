// What people get while the database is stopped, killed, paused, full, locked, and after: real databases of our own are
// ill-treated while requests go on. An answer may be late or say that there is none now; it may not be wrong.
// node outages.mjs <binary> [part of a fault's name] [requests to hang up on]

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { check, finish } from "./checks.mjs";
import { freePort, MariaDb, Postgres, Sqlite, until } from "./databases.mjs";
import { start } from "./server.mjs";

const [binary, only = "", hangUps = "300"] = process.argv.slice(2);
const SLOWEST = 6000;
const RECOVERY = 5000;
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

/** One server on one database, its users, and what was promised to them. */
class House {
  answers = [];
  /** By what was asked for: when it last succeeded, by the clock of this process. */
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
    this.server = await start(binary, port, { DATABASE_URL: this.database.url, SECRET_KEY, BCRYPT_COST: "10", RUST_LOG: "warn,hallpass=info" });
    const owner = await this.ask("register", documents.register("ada"));
    if (owner.code) throw new Error(`no ada: ${owner.code}`);
    this.bearer = (await this.ask("login", documents.login("ada", PASSWORD))).data.login.accessToken;
  }

  /** Sends a request and checks what holds for every answer. */
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
      answer.isWhole = type.includes("json") && !(error && body.data?.[Object.keys(body.data)[0]]);
      if (answer.code === "SERVICE_UNAVAILABLE") {
        answer.isWhole &&= error.extensions.retryAfter >= 1 && Number(response.headers.get("retry-after")) >= 1;
      }
    } catch (error) {
      Object.assign(answer, { code: `no answer: ${error.cause?.code ?? error.message}`, ms: Date.now() - begun, ended: Date.now() });
    }
    this.answers.push(answer);
    return answer;
  }

  /** What each worker does, again and again. */
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
      // Like a client that keeps its token until it has the next.
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
        // At once, so that most of the time there is one to end when the fault comes.
        toEnd = await signIn("right");
        return true;
      },
    };
  }

  /** What an answer may be: the code it has when all is well, or that there is no answer now. */
  static isTrue({ what, status, code, data }) {
    if (what === "live") return status === 200 && code === undefined;
    if (what === "ready") return (status === 200 || status === 503) && code === undefined;
    if (code === "SERVICE_UNAVAILABLE") return status === 200 || status === 503;
    if (status !== 200) return false;
    if (what === "wrong" || what === "unknown") return code === "INVALID_CREDENTIALS";
    if (what === "me") return data?.me?.username === "ada";
    return code === undefined && Object.values(data ?? {})[0] !== null;
  }

  /** Inflicts a fault on a house at work, takes it away, and looks at what people were told. */
  async suffer({ name, inflict, seconds, refused = [], isUnready = false }) {
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

    const heal = await inflict(this.database, this);
    const from = Date.now();
    await sleep(seconds * 1000);
    const to = Date.now();
    await heal();
    const healed = Date.now();
    this.successes.clear();
    await allSucceed(30).catch(() => {});
    const recovery = Object.keys(work).map((kind) => [kind, (this.successes.get(kind) ?? Infinity) - healed]);
    isOver = true;
    await Promise.all(workers);

    const during = this.answers.filter(({ ended, begun }) => ended > from && begun < to);
    const slowest = Math.max(...this.answers.map(({ ms }) => ms));
    const late = this.answers.filter(({ ms }) => ms > SLOWEST);
    check(`${what} every answer comes within ${SLOWEST} ms`, late.length === 0, text(late.slice(0, 3)));
    const untrue = this.answers.filter((answer) => !House.isTrue(answer) || !answer.isWhole);
    check(`${what} no answer is wrong`, untrue.length === 0, text(untrue.slice(0, 3)));
    // Else nothing was tried.
    for (const kind of refused) {
      check(`${what} ${kind} is told that there is no answer now`, during.some(({ what, code }) => what === kind && code === "SERVICE_UNAVAILABLE"));
    }
    if (isUnready) {
      const inside = this.answers.filter(({ what, begun, ended }) => what === "ready" && begun > from + 500 && ended < to);
      check(`${what} is not ready`, inside.length > 0 && inside.every(({ status }) => status === 503), text(inside.slice(0, 3)));
    }
    const slowestRecovery = recovery.reduce((worst, one) => (one[1] > worst[1] ? one : worst));
    check(`${what} service is back within ${RECOVERY} ms`, slowestRecovery[1] <= RECOVERY, text(recovery));
    await this.reckon(what);
    const refusals = this.answers.filter(({ code }) => code === "SERVICE_UNAVAILABLE").length;
    console.log(`done ${what} ${this.answers.length} answers, ${refusals} of them SERVICE_UNAVAILABLE, the slowest after ${slowest} ms; back after ${Math.max(0, slowestRecovery[1])} ms (${slowestRecovery[0]})`);
  }

  /** Sends so many requests that write and hangs up in the middle of each. Later requests must not notice. */
  async surviveHangUps(count) {
    const what = `${this.database.name}, ${count} hang-ups:`;
    this.answers = [];
    const { port, hostname } = new URL(this.url);
    let left = count;
    const client = async () => {
      while (left-- > 0) {
        // Most hash nothing, so that there is little to wait for afterwards.
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
    // Those who hung up still wait for their hashes.
    await until(`${what} a login succeeds`, 30, async () => (await login()).code === undefined);
    // As many as can write at a time.
    const codes = (await Promise.all(Array.from({ length: 5 }, login))).map(({ code }) => code);
    check(`${what} five logins succeed at once`, codes.every((code) => code === undefined), text(codes));
    check(`${what} the server is ready`, (await this.ask("ready", "", { path: "/health/ready" })).status === 200);
    const wrong = this.answers.filter(({ status }) => status === 500);
    check(`${what} nothing fails`, wrong.length === 0, text(wrong.slice(0, 3)));
    const { openTransactions } = this.database;
    if (openTransactions) await until(`${what} no transaction is left open`, 10, async () => (await this.database.sql(openTransactions)) === "0");
    console.log(`done ${what}`);
  }

  /** What was promised holds, and what was not is whole or not there. */
  async reckon(what) {
    const { registered, uncertain, ended } = this;
    const lost = [];
    for (const name of registered) {
      const { code } = await this.ask("reckon", documents.login(name, PASSWORD));
      if (code) lost.push([name, code]);
    }
    check(`${what} who was registered can sign in`, lost.length === 0 && registered.size > 0, text(lost));
    const halves = [];
    for (const name of uncertain) {
      const { code } = await this.ask("reckon", documents.login(name, PASSWORD));
      if (code === undefined) continue;
      const again = await this.ask("reckon", documents.register(name));
      if (code !== "INVALID_CREDENTIALS" || again.code) halves.push([name, code, again.code]);
    }
    check(`${what} who was not can sign in, or register again`, halves.length === 0, text(halves));
    const back = [];
    for (const token of ended) {
      const { code } = await this.ask("reckon", documents.refresh(token));
      if (code !== "SESSION_REVOKED") back.push(code);
    }
    check(`${what} a session that ended stays so`, back.length === 0 && ended.length > 0, text(back));
    const half = await this.database.sql(
      "SELECT COUNT(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id) OR NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.user_id = u.id AND a.action = 'USER_REGISTERED')",
    );
    check(`${what} every account has its session and its line in the audit log`, half === "0", half);
  }
}

// Not logout, for which there may be no session by then.
const writes = ["right", "register", "refresh"];
const all = ["me", "wrong", "unknown", ...writes];
const restart = (database) => database.start();
/** With 12 more who wait to write. */
const lockRows = async (database, house) => {
  const release = await database.lockRows();
  const logins = Array.from({ length: 12 }, () => house.ask("right", documents.login("ada", PASSWORD)));
  return async () => {
    await release();
    await Promise.all(logins);
  };
};

const faults = [
  { name: "stopped", seconds: 6, refused: all, isUnready: true, inflict: async (database) => (await database.stop(), () => restart(database)) },
  { name: "killed", seconds: 6, refused: all, isUnready: true, inflict: async (database) => (await database.kill(), () => restart(database)) },
  { name: "paused", seconds: 8, refused: all, isUnready: true, inflict: async (database) => (database.pause(), () => database.resume()) },
  {
    name: "connections terminated again and again",
    seconds: 3,
    inflict: async (database) => {
      let isOver = false;
      const terminating = (async () => {
        while (!isOver) await database.terminate();
      })();
      return () => ((isOver = true), terminating);
    },
  },
  { name: "connections exhausted", seconds: 6, refused: all, isUnready: true, inflict: (database) => database.exhaust() },
  // Whether the server is ready depends on whether a writer is left over, so that it is not looked at here and below.
  { name: "table locked", seconds: 8, refused: all, inflict: (database) => database.lockTable() },
  // The last that a registration writes: what it has written before must go again.
  { name: "audit log locked", seconds: 8, refused: ["right", "register"], inflict: (database) => database.lockAuditLog() },
  // Again, because what was left of the first time would be met then.
  { name: "rows locked", seconds: 6, refused: ["right", "refresh"], inflict: lockRows },
  { name: "rows locked again", seconds: 6, refused: ["right", "refresh"], inflict: lockRows },
  { name: "read-only", seconds: 3, refused: writes, isUnready: true, inflict: (database) => database.readOnly() },
];

const diskFull = {
  name: "disk full",
  seconds: 5,
  refused: ["register"],
  inflict: async (database) => {
    database.disk.fill();
    await database.writeUntilFull();
    database.disk.fill();
    return async () => {
      database.disk.free();
      // A server may end itself rather than go on without its log; whoever makes room starts it again.
      if (!database.isRunning) await restart(database);
      await until(`${database.name} answers`, 20, () => database.sql("SELECT 1"));
    };
  },
};

async function live(create, faults) {
  const database = await create();
  const house = new House(database);
  await house.open();
  const { disk } = database;
  if (!disk.isOwn) console.log(`SKIPPED ${database.name}, disk full: nothing may be mounted here`);
  for (const fault of [...faults, ...(disk.isOwn ? [diskFull] : [])]) {
    if (`${database.name}, ${fault.name}`.includes(only)) await house.suffer(fault);
  }
  // Last, because the rows that it leaves behind make room on a full disk.
  if (`${database.name}, hang-ups`.includes(only)) await house.surviveHangUps(Number(hangUps));
  await house.server();
  check(`${database.name}: the server has lived through it all`, true);
}

await Promise.all([
  live(Postgres.create, faults),
  live(MariaDb.create, faults),
  live(Sqlite.create, [{ name: "locked by another process", seconds: 9, refused: writes, isUnready: true, inflict: (database) => database.lockFile() }]),
]);
finish();
