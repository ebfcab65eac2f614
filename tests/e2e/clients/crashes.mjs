// Acknowledged writes survive crashes. In each round, the server is killed with SIGKILL at a random moment under load and
// restarted. Then everything that it had acknowledged is checked.
// node crashes.mjs <binary> [database url] [rounds]

import { setTimeout as sleep } from "node:timers/promises";
import { accounts as clientOf, generation, isRefused } from "./accounts.mjs";
import { check, fail, finish, pass } from "./checks.mjs";
import { database } from "./own_database.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, databaseUrl, givenRounds] = process.argv.slice(2);
const rounds = Number(givenRounds ?? 10);
const port = 8146;
const origin = `http://localhost:${port}`;
const { register, login, refresh, logout, logoutByBearer, me } = clientOf(origin);
// Each verified sign-in costs one password hash.
const ACCOUNTS_A_ROUND = 8;
// The kill happens after a random number of responses up to this, so that it does not depend on the machine's speed.
const ANSWERS_A_ROUND = 120;

const folder = emptyFolder();
const db = database(databaseUrl, "crashes", folder);
const settings = { DATABASE_URL: db.url, SECRET_KEY: "9f1d7c3a5b2e4806f7a1c9d3e5b70246", PUBLIC_URL: origin, BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };

const counts = { registrations: 0, logins: 0, rotations: 0, logouts: 0, reads: 0, lost: 0 };
const acknowledged = () => counts.registrations + counts.logins + counts.rotations + counts.logouts + counts.reads;
function verify(isTrue, what, answer) {
  if (isTrue) pass();
  else fail(`round ${round}: ${what}`, answer);
  return isTrue;
}

const pick = (list) => list[Math.floor(Math.random() * list.length)];

// Acknowledged and unanswered writes.
/** Names with an account, and names whose registration got no response. */
const accounts = new Set();
const maybeAccounts = new Set();
/** Sessions: `pair` is the latest token pair received, `asked` is the request without a response since then. */
const sessions = [];
let round = 0;
let named = 0;

const newName = () => `user${(named += 1)}`;
const free = () => sessions.filter((session) => !session.isBusy && !session.isOver && !session.asked);
function opened(name, pair) {
  sessions.push({ name, pair, asked: null, isOver: false, isBusy: false, round });
}

/** Stops tracking a session after an unexpected response. */
function forget(session) {
  sessions.splice(sessions.indexOf(session), 1);
  return true;
}

/** A worker's steps. Each returns true if there was a response. Every response before the kill must be correct. */
const steps = {
  async register() {
    const name = newName();
    const answer = await register(name);
    if (!answer) return maybeAccounts.add(name) && false;
    if (!verify(answer.data?.register, "register under load", answer)) return true;
    counts.registrations += 1;
    accounts.add(name);
    opened(name, answer.data.register);
    return true;
  },
  async login() {
    const name = pick([...accounts]);
    if (!name) return (await me("none")) !== null;
    const answer = await login(name);
    if (!answer) return false;
    if (!verify(answer.data?.login, "login under load", answer)) return true;
    counts.logins += 1;
    opened(name, answer.data.login);
    return true;
  },
  async refresh(session) {
    const answer = await refresh(session.pair.refreshToken);
    session.round = round;
    if (!answer) return (session.asked = "refresh") && false;
    if (!verify(answer.data?.refreshToken, "refresh under load", answer)) return forget(session);
    counts.rotations += 1;
    session.pair = answer.data.refreshToken;
    return true;
  },
  async read(session) {
    const answer = await me(session.pair.accessToken);
    if (!answer) return false;
    verify(answer.data?.me?.username === session.name, "me under load", answer);
    counts.reads += 1;
    return true;
  },
  async logout(session) {
    const { accessToken, refreshToken } = session.pair;
    const answer = await (Math.random() < 0.5 ? logout(refreshToken) : logoutByBearer(accessToken));
    session.round = round;
    if (!answer) return (session.asked = "logout") && false;
    if (!verify(answer.data?.logout?.revokedSessions === 1, "logout under load", answer)) return forget(session);
    counts.logouts += 1;
    session.isOver = true;
    return true;
  },
};

/** Repeats the named steps until the server is dead. No two workers use one session at the same time. */
async function work(names, isDead) {
  for (let turn = 0; !isDead(); turn += 1) {
    const name = names[turn % names.length];
    const isOnSession = steps[name].length > 0;
    const session = isOnSession ? pick(free()) : undefined;
    if (isOnSession && !session) {
      // Wait until another worker opens a session.
      await sleep(5);
      continue;
    }
    if (session) session.isBusy = true;
    const isAnswered = await steps[name](session);
    if (session) session.isBusy = false;
    if (!isAnswered) {
      counts.lost += 1;
      return;
    }
  }
}

async function verifySession(session) {
  if (session.isOver) {
    const again = await refresh(session.pair.refreshToken);
    verify(again?.code === "SESSION_REVOKED", "refresh token of an ended session", again);
    const read = await me(session.pair.accessToken);
    verify(isRefused(read), "access token of an ended session", read);
    return;
  }
  const answer = await refresh(session.pair.refreshToken);
  if (session.asked === "logout" && answer?.code === "SESSION_REVOKED") {
    // The logout was stored although its response was lost.
    session.isOver = true;
    session.asked = null;
    return;
  }
  const next = answer?.data?.refreshToken;
  // After the grace period, a lost response is replaced with a new generation.
  const isNext = next && generation(next) > generation(session.pair);
  if (!verify(isNext, `refresh token of a session (unanswered: ${session.asked})`, answer)) return forget(session);
  session.pair = next;
  session.asked = null;
  const read = await me(next.accessToken);
  verify(read?.data?.me?.username === session.name, "access token of a refreshed session", read);
}

async function verifyAccount(name) {
  const answer = await login(name);
  verify(answer?.data?.login?.user.username === name, "login to an acknowledged account", answer);
}

/** Checks that the account is complete, including its first session, or absent. */
async function verifyMaybeAccount(name) {
  const answer = await login(name);
  const again = await register(name);
  if (answer?.data?.login) {
    verify(again?.code === "USERNAME_TAKEN", "second registration of a name", again);
    const read = await me(answer.data.login.accessToken);
    verify(read?.data?.me?.sessions.length === 2, "sessions of a new account", read);
  } else {
    verify(answer?.code === "INVALID_CREDENTIALS", "login to an unacknowledged account", answer);
    verify(again?.data?.register, "new registration after a lost one", again);
  }
  maybeAccounts.delete(name);
  accounts.add(name);
}

/** Runs `check` on each item, six at a time. */
async function each(list, check) {
  const rest = [...list];
  await Promise.all(Array.from({ length: 6 }, async () => {
    while (rest.length > 0) await check(rest.pop());
  }));
}

const begin = Date.now();
let server = await start(binary, port, settings, undefined, folder);
for (round = 1; round <= rounds; round += 1) {
  let isDead = false;
  const before = new Set(accounts);
  const workers = [["register"], ["login"], ["logout", "read"], ["refresh"], ["refresh"], ["refresh", "read"], ["register", "refresh", "logout"]];
  const working = workers.map((names) => work(names, () => isDead));
  const enough = acknowledged() + Math.random() * ANSWERS_A_ROUND;
  for (const until = Date.now() + 10_000; acknowledged() < enough && Date.now() < until; ) await sleep(1 + Math.random() * 10);
  await server.kill();
  isDead = true;
  await Promise.all(working);
  await db.forgotten();
  server = await start(binary, port, settings, undefined, folder);
  await each(sessions.filter((session) => session.round === round), verifySession);
  await each([...accounts].filter((name) => !before.has(name)).slice(0, ACCOUNTS_A_ROUND), verifyAccount);
  await each([...maybeAccounts], verifyMaybeAccount);
}
round = "last";
await each(sessions, verifySession);
await each(accounts, verifyAccount);

const unaudited = db.ask("SELECT COUNT(*) FROM users WHERE NOT EXISTS (SELECT 1 FROM audit_log WHERE user_id = users.id AND action = 'USER_REGISTERED')");
verify(unaudited === "0", "accounts without an audit event", unaudited);
const audited = db.ask("SELECT COUNT(*) FROM audit_log WHERE action IN ('USER_REGISTERED', 'LOGGED_IN')");
const stored = db.ask("SELECT COUNT(*) FROM sessions");
verify(audited === stored, "number of sign-in audit events equals number of sessions", [audited, stored]);
await server();
if (db.kind === "SQLite") {
  verify(db.ask("PRAGMA integrity_check") === "ok", "PRAGMA integrity_check", db.ask("PRAGMA integrity_check"));
  verify(db.ask("PRAGMA foreign_key_check") === "", "PRAGMA foreign_key_check", db.ask("PRAGMA foreign_key_check"));
}

const { registrations, logins, rotations, logouts, reads, lost } = counts;
console.log(
  `${db.kind}: ${rounds} kills in ${Math.round((Date.now() - begin) / 1000)} s; acknowledged ${registrations} registrations, ${logins} sign-ins, ` +
    `${rotations} rotations, ${logouts} logouts, ${reads} reads; ${lost} requests without a response`,
);
const isUnderLoad = [registrations, logins, rotations, logouts, reads, lost].every((count) => count > 0);
check("each kind of request was sent, and some were lost", isUnderLoad);
finish();
