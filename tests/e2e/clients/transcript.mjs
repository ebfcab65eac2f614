// Sends the same requests to three servers, on SQLite, PostgreSQL and MariaDB. All responses must be identical, line by line.
// node transcript.mjs <binary> <postgres url> <mysql url> [folder for the transcripts]

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PASSWORD } from "./accounts.mjs";
import { Authenticator } from "./authenticator.mjs";
import { check, finish } from "./checks.mjs";
import { database } from "./own_database.mjs";
import { emptyFolder, start } from "./server.mjs";

const [binary, postgresUrl, mysqlUrl, kept] = process.argv.slice(2);
// All three servers use the same public URL, so that the URLs in their responses are equal.
const PUBLIC_URL = "http://localhost:8160";
// Each request uses its own client address, so that the throttle rejects only the intended ones.
const settings = { PUBLIC_URL, THROTTLE: "true", PROXY_HEADER: "x-forwarded-for", TRUSTED_PROXIES: "127.0.0.1", SECRET_KEY: "4d1f0b8e6c2a97f3b5d8e0a1c6f49273", BCRYPT_COST: "10", RUST_LOG: "warn,hallpass::cli=info" };
// Milliseconds between steps. Longer than the resolution of stored times, so that no two steps have the same time.
const PAUSE = 3;
// Headers that the transport adds, and the request ID, which is compared separately.
const IGNORED_HEADERS = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding", "x-request-id"]);

/** Replaces values that differ between runs with stable names. Equal values get the same name, so transcripts can be compared. */
class Names {
  names = new Map();
  counts = new Map();

  of(kind, value) {
    if (!this.names.has(value)) {
      const count = (this.counts.get(kind) ?? 0) + 1;
      this.counts.set(kind, count);
      this.names.set(value, `${kind}${count}`);
    }
    return this.names.get(value);
  }

  /** The name of a token. The first occurrence includes its header and claims. */
  token(value) {
    const isNew = !this.names.has(value);
    const name = this.of("TOKEN", value);
    if (!isNew) return name;
    const [header, claims] = value.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
    const { iat, exp, auth_time, ...others } = claims;
    const known = auth_time === undefined ? others : { ...others, auth_time: "SECONDS" };
    return this.replace(`${name}<${JSON.stringify({ ...header, ...known, lives: exp - iat })}>`);
  }

  replace(text) {
    return text
      .replace(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g, (token) => this.token(token))
      .replace(/(retry-?after"?: ?)\d{3,}/gi, "$1SECONDS")
      .replace(/(Try again in )[^."]+/g, "$1TIME")
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => this.of("ID", id))
      // Values of passkeys and second factors, in base64url.
      .replace(/("(?:ceremonyToken|challenge|credentialId|id|token|userId)":")([\w-]{20,})(?=")/g, (match, name, value) => `${name}${this.of("BYTES", value)}`)
      .replace(/(?<="allAcceptedCredentialIds":\[)[^\]]+/g, (ids) => ids.replace(/[\w-]{20,}/g, (id) => this.of("BYTES", id)))
      .replace(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3,}\b/g, (code) => this.of("CODE", code))
      .replace(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => `${this.of("TIME", time)}${time.length === 24 ? "" : ` as ${time}`}`);
  }
}

let queue = Promise.resolve();
/** Runs an action that needs the whole machine after all earlier ones, so that the servers do not compete. */
const exclusively = (action) => (queue = queue.then(action));

/** A client of one server that records the requests and responses. */
class Conversation {
  names = new Names();
  lines = [];
  requests = 0;

  constructor(port) {
    this.port = port;
  }

  /** Sends a request, and retries it up to five times on 503: a slow machine causes that status, not the database. */
  async exchange({ headers, ...others }) {
    this.requests += 1;
    const sent = { headers: { "x-forwarded-for": `10.0.${this.requests >> 8}.${this.requests & 255}`, ...headers }, ...others };
    for (let retries = 0; ; retries += 1) {
      const answer = await this.send(sent);
      if (answer.status !== 503 || retries === 5) return answer;
      await sleep(1000);
    }
  }

  /** Sends a request unchanged, byte for byte, and waits for the response. */
  async send({ method = "POST", path = "/graphql", headers = {}, body }) {
    const sent = request({ port: this.port, host: "127.0.0.1", method, path, headers: { host: PUBLIC_URL.slice("http://".length), ...headers }, agent: false });
    const answered = new Promise((resolve, reject) => {
      sent.on("response", resolve);
      // The server may close the connection before it has read a rejected body. The response usually arrives first.
      sent.on("error", (error) => (error.code === "EPIPE" || error.code === "ECONNRESET" ? setTimeout(reject, 1000, error) : reject(error)));
    });
    sent.end(body);
    const response = await answered;
    let text = "";
    response.setEncoding("utf8");
    for await (const part of response) text += part;
    return { status: response.statusCode, headers: response.headers, text };
  }

  /** The normalized lines of a response, for comparison. */
  format({ status, headers, text }) {
    // The request ID is unique. The header and the body must contain the same one, so both become REQUEST here.
    const shown = text.replaceAll(headers["x-request-id"], "REQUEST");
    const head = Object.entries(headers).filter(([name]) => !IGNORED_HEADERS.has(name)).map(([name, value]) => `  ${name}: ${value}`);
    return [`  ${status}`, ...head, ...shown.split("\n").map((line) => `  ${line}`)].map((line) => this.names.replace(line));
  }

  /** Sends one request and adds the whole response to the transcript. */
  async record(what, sent) {
    const answer = await this.exchange(sent);
    this.lines.push(`${this.names.replace(what)}`, ...this.format(answer));
    await sleep(PAUSE);
    return answer;
  }

  post(what, body, headers = {}) {
    return this.record(what, { body, headers: { "content-type": "application/json", ...headers } });
  }

  async graphql(what, query, input, headers) {
    const answer = await this.post(what, JSON.stringify({ query, variables: { input } }), headers);
    return { ...answer, data: JSON.parse(answer.text).data };
  }

  /**
   * Sends several requests at once and records their responses in sorted order, because any of them may win. `different` matches
   * text that only the winner's response contains.
   */
  async race(what, requests, different = /$^/) {
    const answers = await exclusively(() => Promise.all(requests.map((sent) => this.exchange(sent))));
    // Sort by the text without unique values. Those get their names after the sort.
    const bare = ({ text }) => new Names().replace(text.replace(/"requestId":"[^"]*"/g, "")).replace(different, "EITHER");
    answers.sort((one, other) => (bare(one) < bare(other) ? -1 : 1));
    this.lines.push(what, ...answers.flatMap((answer) => this.format(answer)).map((line) => line.replace(different, "EITHER")));
    await sleep(PAUSE);
  }
}

const json = (query, input) => ({ headers: { "content-type": "application/json" }, body: JSON.stringify({ query, variables: { input } }) });
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const USER = "id username email firstName lastName fullName isActive roles createdAt updatedAt lastLoginAt";
const PAIR = `accessToken tokenType expiresIn refreshToken user { ${USER} }`;
const REGISTER = `mutation($input: RegisterInput!) { register(input: $input) { ${PAIR} } }`;
const LOGIN = `mutation($input: LoginInput!) { login(input: $input) { ${PAIR} } }`;
const REFRESH = `mutation($input: RefreshTokenInput) { refreshToken(input: $input) { ${PAIR} } }`;
const LOGOUT = "mutation($input: LogoutInput) { logout(input: $input) { revokedSessions } }";
const REVOKE = "mutation($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId } }";
const REVOKE_OTHERS = "mutation { revokeOtherSessions { revokedSessions } }";
const ME = `{ me { ${USER} } }`;
const SESSIONS = "{ me { sessions { id isCurrent device userAgent ipAddress createdAt lastUsedAt expiresAt } } }";
const SERVER_INFO = "{ serverInfo { registrationEnabled emailRequired passwordPolicy { minLength maxLength } usernamePolicy { minLength maxLength pattern } accessTokenLifetime refreshTokenLifetime } }";

/** Names that databases may truncate, fold or reject. Each is registered and read back. */
const NAMES = {
  plain: "Ada",
  "other case": "ADA",
  "one code point": "\u00e9",
  "two code points": "e\u0301",
  "sharp s": "Stra\u00dfe",
  "two of them": "Strasse",
  "dotted I": "\u0130stanbul",
  "dotless i": "\u0131stanbul",
  emoji: "Ada \u{1f469}\u200d\u{1f680}\u{1f1e6}\u{1f1f9}",
  "right to left": "\u202eada \u05d0\u05d3\u05d4",
  "outside the plane": "\u{20bb7}\u{1d504}",
  "inner spaces": "Ada   L.",
  "spaces around": "  Ada  ",
  "other spaces around": "\u00a0\u3000Ada\u2003\u2028",
  "spaces only": " \u3000 ",
  empty: "",
  quotes: `O'Neill "the" \\ \`one\` %_ $1 ? :x /* -- ; # */`,
  "a hundred characters": "\u{1f600}".repeat(100),
  "a hundred, with more bytes": `${"\u00fc".repeat(99)}\u{1f600}`,
  "a hundred and one": "\u{1f600}".repeat(101),
  "a hundred with spaces around": ` ${"x".repeat(100)} `,
  NUL: "A\0da",
  newline: "A\nda",
  "not a character": "A\uffff\ufdd0",
  "a replacement": "A\ufffd",
  "zero width": "A\u200bda\ufeff",
};

/** E-mail addresses. Labels with the same text before the colon denote the same address. */
const ADDRESSES = {
  plain: "ada@example.org",
  "plain: upper case": "ADA@EXAMPLE.ORG",
  "plain: a dot": "ada@example.org.",
  "plain: a space after": "ada@example.org ",
  "plain: wide": "ada@\uff45xample.org",
  tag: "ada+x@example.org",
  underscore: "a_a@example.org",
  hyphen: "a-a@example.org",
  "other domain": "ada@example.com",
  umlaut: "ada@b\u00fccher.example",
  "umlaut: two code points": "ada@bu\u0308cher.example",
  "umlaut: capital": "Ada@B\u00dcCHER.Example",
  "umlaut: encoded": "ada@xn--bcher-kva.example",
  "no umlaut": "ada@bucher.example",
  sharp: "ada@stra\u00dfe.example",
  "not sharp": "ada@strasse.example",
  dotless: "ada@\u0131stanbul.example",
  "with a dot": "ada@istanbul.example",
  "dotted capital": "ada@\u0130stanbul.example",
  kelvin: "ada@\u212aelvin.example",
  "kelvin: k": "ada@kelvin.example",
  chinese: "ada@\u4f8b\u5b50.\u6d4b\u8bd5",
  "international name": "ad\u00e1@example.org",
  emoji: "ada@\u{1f4a9}.example",
  quotes: '"ada"@example.org',
  "a quote inside": "o'neill@example.org",
  NUL: "ada\0@example.org",
  "no domain": "ada@",
  "no dot": "ada@localhost",
  number: "ada@127.0.0.1",
  "the longest": `${"a".repeat(64)}@${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(57)}.org`,
  "the longest: upper case": `${"A".repeat(64)}@${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(57)}.ORG`,
  "one longer": `${"a".repeat(64)}@${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(58)}.org`,
  empty: "",
};

const USERNAMES = ["A", "a", "Turing", "turing", "TURING", "a-b", "a_b", "a%b", "aXb", "x".repeat(64), "X".repeat(64), "x".repeat(65), "", " ", " bo", "bo ", "b\u00f6", "b\u00d6", "bo\0", "\u0130", "\u0131", "\uff42o", "-", "_", "0", "00", "null", "'; DROP TABLE users; --"];

const PASSWORDS = ["short", "eight  8", "\u{1f600}".repeat(7), "\u{1f600}".repeat(8), "\u{1f600}".repeat(128), "\u{1f600}".repeat(129), "p\0p\0p\0p\0", "p\0p\0p\0p\0p", "e\u0301e\u0301e\u0301e\u0301", "\u00e9".repeat(8), "        ", "", "x".repeat(73), "password123", "PassWord123", "Ada-Lovelace"];

async function converse(c) {
  // Requests that need no account.
  await c.record("live", { method: "GET", path: "/health/live" });
  await c.record("ready", { method: "GET", path: "/health/ready" });
  await c.record("keys", { method: "GET", path: "/.well-known/jwks.json" });
  await c.record("metadata", { method: "GET", path: "/.well-known/oauth-authorization-server" });
  await c.record("no such page", { method: "GET", path: "/nothing" });
  await c.graphql("server info", SERVER_INFO);
  await c.record("server info by GET", { method: "GET", path: `/graphql?query=${encodeURIComponent(SERVER_INFO)}` });
  await c.graphql("me, not signed in", ME);

  // Input validation and normalization.
  let count = 0;
  const register = (what, input, headers) => c.graphql(`register, ${what}`, REGISTER, { username: `user${(count += 1)}`, password: PASSWORD, tokenDelivery: "BODY", ...input }, headers);
  const login = (what, username, password = PASSWORD, more = {}, headers) => c.graphql(`login, ${what}`, LOGIN, { username, password, tokenDelivery: "BODY", ...more }, headers);
  for (const [what, name] of Object.entries(NAMES)) {
    const { data } = await register(`name ${what}`, { firstName: name, lastName: name });
    if (data?.register) await c.graphql(`me, name ${what}`, ME, undefined, bearer(data.register.accessToken));
  }
  for (const [what, email] of Object.entries(ADDRESSES)) {
    const { data, text } = await register(`address ${what}`, { email });
    if (data?.register) await c.graphql(`me, address ${what}`, ME, undefined, bearer(data.register.accessToken));
    if (data?.register || text.includes("EMAIL_TAKEN")) await login(`address ${what}`, email);
  }
  for (const username of USERNAMES) {
    const what = `username ${JSON.stringify(username)}`;
    const { data, text } = await register(what, { username });
    if (data?.register || text.includes("USERNAME_TAKEN")) await login(what, username);
    if (!data?.register) continue;
    // Databases may ignore trailing spaces and case.
    await login(`${what}, a space after`, `${username} `);
    await login(`${what}, upper case`, username.toUpperCase());
  }
  for (const password of PASSWORDS) {
    const what = `password ${JSON.stringify(password)}`;
    const { data } = await register(what, { password });
    if (!data?.register) continue;
    await login(what, `user${count}`, password);
    await login(`${what}, with a character appended`, `user${count}`, `${password}x`);
    await login(`${what}, upper case`, `user${count}`, password.toUpperCase());
  }
  await register("every field invalid", { username: "a b", password: "short", email: "ada", firstName: "\0", lastName: "x".repeat(101) });
  await register("username and address taken", { username: "tUring", email: "aDa@example.org" });
  await register("username taken", { username: "tUring", email: "new@example.org" });
  await register("address taken", { email: "aDa@example.org" });
  await register("null in optional fields", { email: null, firstName: null, lastName: null });
  await register("a number as username", { username: 1 });
  await register("null as username", { username: null });
  await register("an unknown field", { isActive: false });

  // JSON escape sequences. JSON.stringify and UTF-8 would not keep them as written.
  for (const [what, text] of [["a lone surrogate", "\\ud800"], ["a reversed surrogate pair", "\\udc00\\ud800"], ["a surrogate pair", "\\ud83d\\ude00"], ["NUL", "\\u0000"]]) {
    for (const field of ["username", "password", "email", "firstName"]) {
      const input = { username: `escaped${(count += 1)}`, password: PASSWORD, email: `escaped${count}@example.org` };
      const value = { username: text, password: `correct ${text} horse`, email: `${text}@example.org`, firstName: text }[field];
      const body = JSON.stringify({ query: REGISTER, variables: { input: { ...input, [field]: "HERE" } } }).replace("HERE", value);
      await c.post(`${field}, ${what} escaped`, body);
    }
    await c.post(`in the document, ${what}`, `{"query": "mutation { login(input: {username: \\"${text.replace("\\", "\\\\")}\\", password: \\"x\\"}) { accessToken } }"}`);
  }
  await c.post("invalid UTF-8", Buffer.concat([Buffer.from('{"query": "{ __typename } #'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]));

  // Sign-in.
  const agent = (text) => ({ "user-agent": text });
  await register("ada", { username: "Ada-Lovelace", email: "Lovelace@Example.org" }, agent("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"));
  const first = (await login("by name", "ada-lovelace", PASSWORD, {}, agent("x".repeat(600)))).data.login;
  const second = (await login("by address", "LOVELACE@example.ORG", PASSWORD, {}, agent(Buffer.from("caf\u00e9 \u{1f600}").toString("latin1")))).data.login;
  await login("wrong password", "ada-lovelace", "wrong horse battery");
  await login("wrong case of the password", "ada-lovelace", PASSWORD.toUpperCase());
  await login("a space after the password", "ada-lovelace", `${PASSWORD} `);
  await login("unknown name", "nobody");
  await login("unknown address", "nobody@example.org");
  await login("no name", "");
  await login("name too long", "x".repeat(100_000));
  await login("password too long", "ada-lovelace", "x".repeat(100_000));
  await c.graphql("me", ME, undefined, bearer(first.accessToken));
  await c.record("me by GET", { method: "GET", path: `/graphql?query=${encodeURIComponent(ME)}`, headers: bearer(first.accessToken) });
  await c.graphql("me, an invalid token", ME, undefined, bearer(`${first.accessToken}x`));
  await c.graphql("me, a refresh token", ME, undefined, bearer(first.refreshToken));
  await c.graphql("sessions", SESSIONS, undefined, bearer(second.accessToken));

  // Refresh.
  const refresh = (what, refreshToken, headers) => c.graphql(`refresh, ${what}`, REFRESH, refreshToken === undefined ? undefined : { refreshToken }, headers);
  const next = (await refresh("first", first.refreshToken)).data.refreshToken;
  await refresh("the same token again", first.refreshToken);
  await c.graphql("sessions, the most recently used one first", SESSIONS, undefined, bearer(next.accessToken));
  await c.graphql("me, the previous access token", ME, undefined, bearer(first.accessToken));
  const third = (await refresh("second", next.refreshToken)).data.refreshToken;
  await refresh("two generations old", first.refreshToken);
  await refresh("the current token, after the reuse", third.refreshToken);
  await c.graphql("me, after the reuse", ME, undefined, bearer(third.accessToken));
  await refresh("no token", undefined);
  await refresh("not a token", "x");
  await refresh("an access token", second.accessToken);
  await c.graphql("sessions, without the revoked one", SESSIONS, undefined, bearer(second.accessToken));

  // Cookie delivery.
  const cookieOf = ({ headers }) => headers["set-cookie"]?.[0].split(";")[0];
  const inBrowser = await login("in a browser", "ada-lovelace", PASSWORD, { tokenDelivery: "COOKIE" });
  const cookie = cookieOf(inBrowser);
  const origin = { origin: PUBLIC_URL };
  const rotated = cookieOf(await refresh("by cookie", undefined, { cookie, ...origin }));
  await refresh("by cookie again", undefined, { cookie, ...origin });
  await refresh("by cookie from another origin", undefined, { cookie: rotated, origin: "https://evil.example" });
  await refresh("a cookie's token in the body", rotated.split("=")[1]);
  await refresh("a body's token as a cookie", undefined, { cookie: `${cookie.split("=")[0]}=${second.refreshToken}` });
  await c.graphql("logout by cookie", LOGOUT, undefined, { cookie: rotated, ...origin });
  await c.graphql("logout by cookie again", LOGOUT, undefined, { cookie: rotated, ...origin });
  await refresh("by cookie after the logout", undefined, { cookie: rotated, ...origin });

  // Logout and session revocation.
  const signIn = async (what) => (await login(what, "ada-lovelace")).data.login;
  const [a, b, d] = [await signIn("a"), await signIn("b"), await signIn("d")];
  await c.graphql("logout by bearer", LOGOUT, undefined, bearer(a.accessToken));
  await c.graphql("logout by bearer again", LOGOUT, undefined, bearer(a.accessToken));
  await c.graphql("me, after the logout", ME, undefined, bearer(a.accessToken));
  await refresh("after the logout", a.refreshToken);
  await c.graphql("logout by refresh token", LOGOUT, { refreshToken: b.refreshToken });
  await c.graphql("logout without credentials", LOGOUT);
  await c.graphql("logout with invalid tokens", LOGOUT, { refreshToken: "x" }, bearer("x"));
  await c.graphql("logout everywhere without credentials", LOGOUT, { everywhere: true });
  await c.graphql("logout everywhere with a revoked session", LOGOUT, { everywhere: true, refreshToken: b.refreshToken }, bearer(a.accessToken));
  const listed = JSON.parse((await c.graphql("sessions", SESSIONS, undefined, bearer(d.accessToken))).text).data.me.sessions;
  const stranger = (await login("another user", "turing")).data.login;
  const revoke = (what, sessionId, token) => c.graphql(`revoke, ${what}`, REVOKE, { sessionId }, token && bearer(token));
  const other = listed.find(({ isCurrent }) => !isCurrent).id;
  await revoke("another user's session", other, stranger.accessToken);
  await revoke("not signed in", other);
  await revoke("another session", other, d.accessToken);
  await revoke("the same session again", other, d.accessToken);
  await revoke("an invalid ID", "x", d.accessToken);
  await revoke("an unknown ID", "00000000-0000-7000-8000-000000000000", d.accessToken);
  const e = await signIn("e");
  await c.graphql("revoke others", REVOKE_OTHERS, undefined, bearer(e.accessToken));
  await c.graphql("revoke others, without other sessions", REVOKE_OTHERS, undefined, bearer(e.accessToken));
  await c.graphql("sessions, one", SESSIONS, undefined, bearer(e.accessToken));
  await revoke("the current session", JSON.parse(Buffer.from(e.accessToken.split(".")[1], "base64url")).sid, e.accessToken);
  await c.graphql("revoke others, with a revoked session", REVOKE_OTHERS, undefined, bearer(e.accessToken));
  const f = await signIn("f");
  await signIn("g");
  await c.graphql("logout everywhere", LOGOUT, { everywhere: true }, bearer(f.accessToken));
  const h = await signIn("h");
  await c.graphql("logout everywhere by refresh token", LOGOUT, { everywhere: true, refreshToken: h.refreshToken });
  await c.graphql("sessions of another user are unchanged", SESSIONS, undefined, bearer(stranger.accessToken));

  await converseAboutPasskeys(c, register, login);

  // Races: any request may win, but the number of winners is fixed.
  await c.race("sixteen concurrent registrations of one username", Array.from({ length: 16 }, (_, n) => json(REGISTER, { username: n % 2 ? "Hopper" : "hOPPER", password: PASSWORD, tokenDelivery: "BODY" })), /hopper/gi);
  await c.race("twelve concurrent registrations of one address", Array.from({ length: 12 }, (_, n) => json(REGISTER, { username: `hopper${n}`, email: n % 2 ? "HOPPER@example.org" : "hopper@example.org", password: PASSWORD })), /hopper\d*/gi);
  const raced = (await login("for a race", "turing")).data.login;
  await c.race("twelve concurrent refreshes", Array.from({ length: 12 }, () => json(REFRESH, { refreshToken: raced.refreshToken })));
  await c.race("twelve concurrent logouts", Array.from({ length: 12 }, () => json(LOGOUT, { refreshToken: raced.refreshToken })));

  // Throttling: the number of accepted attempts does not depend on the database.
  const from = (address) => ({ "x-forwarded-for": address });
  for (const [account, username, address] of [["a known account", "ada-lovelace", "198.51.100.1"], ["an unknown account", "nobody", "198.51.100.2"]]) {
    const guess = json(LOGIN, { username, password: "wrong horse battery" });
    await c.race(`sixteen concurrent guesses for ${account}`, Array.from({ length: 16 }, () => ({ ...guess, headers: { ...guess.headers, ...from(address) } })));
    await login(`the right password, after too many guesses for ${account}`, username, PASSWORD, {}, from(address));
    await login(`the right password, from another address, after too many guesses for ${account}`, username);
  }

  const ending = [];
  for (const what of ["one", "two", "three", "four"]) ending.push((await login(`to revoke others, ${what}`, "turing")).data.login);
  await c.race("four concurrent revocations of each other", ending.map(({ accessToken }) => { const sent = json(REVOKE_OTHERS); return { ...sent, headers: { ...sent.headers, ...bearer(accessToken) } }; }));

  // Invalid requests and content negotiation.
  const typename = JSON.stringify({ query: "{ __typename }" });
  const accept = (type) => ({ accept: type });
  for (const type of ["application/json", "application/graphql-response+json", "*/*", "text/plain"]) {
    await c.post(`accept ${type}`, typename, accept(type));
    await c.post(`a validation error, accept ${type}`, JSON.stringify({ query: "{ nothing }" }), accept(type));
    await c.post(`a syntax error, accept ${type}`, JSON.stringify({ query: "{" }), accept(type));
  }
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=latin1", ""]) {
    await c.record(`content type ${type}`, { body: typename, headers: type ? { "content-type": type } : {} });
  }
  for (const method of ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) await c.record(`method ${method}`, { method });
  await c.record("a mutation by GET", { method: "GET", path: `/graphql?query=${encodeURIComponent(REVOKE_OTHERS)}`, headers: bearer(stranger.accessToken) });
  await c.record("GET without a query", { method: "GET", headers: accept("application/json") });
  for (const body of ["", "{", "[]", "null", "{}", '{"query": 1}', '{"query": ""}', '{"query": "{ __typename }", "variables": 1}', '[{"query": "{ __typename }"}]', `{"query": "{ __typename }", "operationName": "nothing"}`]) await c.post(`body ${body}`, body);
  await c.post("too large", JSON.stringify({ query: `{ __typename } #${"x".repeat(1 << 20)}` }));
  await c.post("two mutations", JSON.stringify({ query: "mutation { a: logout { revokedSessions } b: logout { revokedSessions } }" }));
  await c.record("a CORS preflight from another origin", { method: "OPTIONS", headers: { origin: "http://localhost:3000", "access-control-request-method": "POST", "access-control-request-headers": "content-type" } });
  await c.record("ready", { method: "GET", path: "/health/ready" });
}

const CEREMONY = "{ ceremonyToken options }";
const PASSKEY = "id name createdAt lastUsedAt isSynced credentialId";
const START_PASSKEY = `mutation($input: StartPasskeyRegistrationInput) { startPasskeyRegistration(input: $input) ${CEREMONY} }`;
const FINISH_PASSKEY = `mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) { passkey { ${PASSKEY} } recoveryCodes acceptedCredentials { rpId userId allAcceptedCredentialIds } } }`;
const START_PASSKEY_LOGIN = `mutation { startPasskeyLogin ${CEREMONY} }`;
const FINISH_PASSKEY_LOGIN = `mutation($input: FinishPasskeyLoginInput!) { finishPasskeyLogin(input: $input) { ${PAIR} } }`;
const START_VERIFICATION = `mutation($input: StartPasskeyVerificationInput) { startPasskeyVerification(input: $input) ${CEREMONY} }`;
const VERIFY_MFA = `mutation($input: VerifyMfaInput!) { verifyMfa(input: $input) { ${PAIR} } }`;
const REAUTHENTICATE = `mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { ${PAIR} } }`;
const RENAME_PASSKEY = `mutation($input: RenamePasskeyInput!) { renamePasskey(input: $input) { passkey { ${PASSKEY} } } }`;
const DELETE_PASSKEY = `mutation($input: DeletePasskeyInput!) { deletePasskey(input: $input) { deletedPasskeyId user { passkeys { id } mfaMethods } acceptedCredentials { rpId userId allAcceptedCredentialIds } } }`;
const REGISTER_WITH_PASSKEY = `mutation($input: RegisterWithPasskeyInput!) { registerWithPasskey(input: $input) { ${PAIR} passkey { id name lastUsedAt isSynced } recoveryCodes } }`;
const SET_PASSWORD = "mutation($input: SetPasswordInput!) { setPassword(input: $input) { user { username hasPassword } } }";
const FACTORS = `{ me { username hasPassword mfaMethods recoveryCodesLeft passkeys { ${PASSKEY} } } }`;

async function converseAboutPasskeys(c, register, login) {
  const phone = new Authenticator(PUBLIC_URL);
  const key = new Authenticator(PUBLIC_URL, { isSynced: false });
  /** Starts a ceremony. Returns its token and options. */
  const start = async (what, query, input, headers) => Object.values((await c.graphql(what, query, input, headers)).data)[0];
  const add = async (what, { accessToken }, authenticator, more = {}, id = undefined) => {
    const { ceremonyToken, options } = await start(`start to add a passkey, ${what}`, START_PASSKEY, undefined, bearer(accessToken));
    return c.graphql(`add a passkey, ${what}`, FINISH_PASSKEY, { ceremonyToken, credential: authenticator.create(options, id), ...more }, bearer(accessToken));
  };
  const finishLogin = (what, ceremonyToken, credential) => c.graphql(`sign in with a passkey, ${what}`, FINISH_PASSKEY_LOGIN, { ceremonyToken, credential, tokenDelivery: "BODY" });
  const signIn = async (what, authenticator) => {
    const { ceremonyToken, options } = await start(`start to sign in with a passkey, ${what}`, START_PASSKEY_LOGIN);
    return (await finishLogin(what, ceremonyToken, authenticator.get(options))).data?.finishPasskeyLogin;
  };
  const factors = (what, { accessToken }) => c.graphql(`second factors, ${what}`, FACTORS, undefined, bearer(accessToken));

  // Adding passkeys. Names are stored like other names, and credential ids have up to 1,023 bytes.
  const mia = (await register("Mia", { username: "mia" })).data.register;
  await c.graphql("start to add a passkey, not signed in", START_PASSKEY);
  const first = await start("start to add the first passkey", START_PASSKEY, undefined, bearer(mia.accessToken));
  const credential = phone.create(first.options);
  await c.graphql("add a passkey, name too long", FINISH_PASSKEY, { ...first, options: undefined, credential, name: NAMES["a hundred and one"] }, bearer(mia.accessToken));
  await c.graphql("add the first passkey", FINISH_PASSKEY, { ...first, options: undefined, credential, name: NAMES.quotes }, bearer(mia.accessToken));
  await c.graphql("add the first passkey again", FINISH_PASSKEY, { ...first, options: undefined, credential }, bearer(mia.accessToken));
  await add("that counts", mia, key, { name: NAMES["a hundred characters"] });
  const longest = randomBytes(1023);
  await add("with the longest id", mia, new Authenticator(PUBLIC_URL), {}, longest);
  await add("with an id that is too long", mia, new Authenticator(PUBLIC_URL), {}, randomBytes(1024));
  const others = Array.from({ length: 3 }, () => new Authenticator(PUBLIC_URL));
  const last = Buffer.concat([longest.subarray(0, 1022), Buffer.from([longest[1022] ^ 1])]);
  await add("whose id differs in the last byte", mia, others[0], {}, last);
  const eve = (await register("Eve", { username: "eve" })).data.register;
  await add("with the id of another user's passkey", eve, others[1], {}, longest);
  await add("not a name", eve, others[2], { name: NAMES.NUL });
  await factors("with four passkeys", mia);
  await factors("none", eve);

  // Sign-in.
  const spent = await start("start to sign in with a passkey", START_PASSKEY_LOGIN);
  const used = phone.get(spent.options);
  const byPasskey = (await finishLogin("first use", spent.ceremonyToken, used)).data.finishPasskeyLogin;
  await finishLogin("the same ceremony again", spent.ceremonyToken, used);
  await finishLogin("the same response to another ceremony", (await start("start another sign-in", START_PASSKEY_LOGIN)).ceremonyToken, used);
  await signIn("a counter goes up", key);
  const skipped = await start("start a sign-in that is finished late", START_PASSKEY_LOGIN);
  const late = key.get(skipped.options);
  await signIn("a counter goes up by two", key);
  await finishLogin("a counter goes back", skipped.ceremonyToken, late);
  await signIn("with the longest id", others[0]);
  const { passkeys } = JSON.parse((await factors("after their use", byPasskey)).text).data.me;

  // The second factor after the password, and proof of identity.
  const { errors } = JSON.parse((await login("needs a second factor", "mia")).text);
  const { token } = errors[0].extensions.mfa;
  const verification = await start("start to verify a passkey", START_VERIFICATION, { mfaToken: token });
  const factor = { passkey: { ceremonyToken: verification.ceremonyToken, credential: phone.get(verification.options) } };
  const verified = (await c.graphql("verify a passkey", VERIFY_MFA, { token, factor })).data.verifyMfa;
  await c.graphql("verify a passkey again", VERIFY_MFA, { token, factor });
  const proof = await start("start to confirm the identity", START_VERIFICATION, undefined, bearer(verified.accessToken));
  const passkey = { ceremonyToken: proof.ceremonyToken, credential: phone.get(proof.options) };
  await c.graphql("confirm the identity", REAUTHENTICATE, { passkey }, bearer(verified.accessToken));
  await c.graphql("confirm the identity again", REAUTHENTICATE, { passkey }, bearer(verified.accessToken));
  await c.graphql("start to confirm the identity without a passkey", START_VERIFICATION, undefined, bearer(eve.accessToken));

  // Management.
  const rename = (what, passkeyId, name, { accessToken }) => c.graphql(`rename a passkey, ${what}`, RENAME_PASSKEY, { passkeyId, name }, bearer(accessToken));
  for (const [what, name] of Object.entries(NAMES)) await rename(what, passkeys[0].id, name, byPasskey);
  await rename("of another user", passkeys[0].id, "mine", eve);
  await rename("of an unknown id", "00000000-0000-7000-8000-000000000000", "mine", byPasskey);
  const remove = (what, passkeyId, { accessToken }) => c.graphql(`delete a passkey, ${what}`, DELETE_PASSKEY, { passkeyId }, bearer(accessToken));
  await remove("of another user", passkeys[0].id, eve);
  for (const [index, { id }] of passkeys.entries()) await remove(`number ${index + 1}`, id, byPasskey);
  await remove("again", passkeys[0].id, byPasskey);
  await signIn("a deleted one", phone);
  await login("without a second factor again", "mia");

  // Accounts without a password.
  const newUser = { username: "Zoe", email: "ZOE@example.org", firstName: NAMES.emoji };
  const starting = await start("start to register with a passkey", START_PASSKEY, newUser);
  const zoesPhone = new Authenticator(PUBLIC_URL);
  const registration = { ...newUser, ceremonyToken: starting.ceremonyToken, credential: zoesPhone.create(starting.options), tokenDelivery: "BODY" };
  await c.graphql("register with a passkey, another username", REGISTER_WITH_PASSKEY, { ...registration, username: "zoe2" });
  const zoe = (await c.graphql("register with a passkey", REGISTER_WITH_PASSKEY, registration)).data.registerWithPasskey;
  await c.graphql("register with a passkey again", REGISTER_WITH_PASSKEY, registration);
  await c.graphql("start to register with a passkey, username taken", START_PASSKEY, { username: "zOE" });
  await c.graphql("start to register with a passkey, address taken", START_PASSKEY, { username: "zoe3", email: "zoe@example.org" });
  // Without `createdAt`, which may or may not equal that of the user.
  await c.graphql("second factors of a user without a password", "{ me { hasPassword mfaMethods recoveryCodesLeft } }", undefined, bearer(zoe.accessToken));
  await login("without a password", "zoe");
  await signIn("without a password", zoesPhone);
  await remove("the only way to sign in", zoe.passkey.id, zoe);
  await c.graphql("set a password, too short", SET_PASSWORD, { newPassword: "short" }, bearer(zoe.accessToken));
  await c.graphql("set a password", SET_PASSWORD, { newPassword: PASSWORD }, bearer(zoe.accessToken));
  await c.graphql("set a password again", SET_PASSWORD, { newPassword: PASSWORD }, bearer(zoe.accessToken));
  await remove("the last one", zoe.passkey.id, zoe);

  // Races: one of the requests uses up the ceremony. Eve's session has a second factor already, which a later addition needs.
  await add("before a race", eve, others[2]);
  const raced = await start("start to add a passkey, for a race", START_PASSKEY, undefined, bearer(eve.accessToken));
  const racing = new Authenticator(PUBLIC_URL);
  const sent = json(FINISH_PASSKEY, { ceremonyToken: raced.ceremonyToken, credential: racing.create(raced.options) });
  await c.race("twelve concurrent additions of one passkey", Array.from({ length: 12 }, () => ({ ...sent, headers: { ...sent.headers, ...bearer(eve.accessToken) } })));
  const signingIn = await start("start to sign in, for a race", START_PASSKEY_LOGIN);
  const response = racing.get(signingIn.options);
  await c.race("twelve concurrent sign-ins by one ceremony", Array.from({ length: 12 }, () => json(FINISH_PASSKEY_LOGIN, { ceremonyToken: signingIn.ceremonyToken, credential: response, tokenDelivery: "BODY" })));
  await factors("after the races", eve);
}

const folder = emptyFolder();
const databases = [database(undefined, "transcript", folder), database(postgresUrl, "transcript"), database(mysqlUrl, "transcript")];
const transcripts = await Promise.all(
  databases.map(async ({ url, kind }, index) => {
    const port = 8160 + index;
    const stop = await start(binary, port, { ...settings, LISTEN: `127.0.0.1:${port}`, DATABASE_URL: url });
    const conversation = new Conversation(port);
    // If a step fails, the transcript shows the response that caused it.
    const failure = await converse(conversation).then(() => undefined, (error) => error.message);
    await stop();
    const file = join(kept ?? folder, `${kind}.txt`);
    writeFileSync(file, `${conversation.lines.join("\n")}\n`);
    return { kind, file, lines: conversation.lines, failure };
  }),
);

for (const { kind, failure } of transcripts) check(`${kind}: all steps complete`, failure === undefined, failure);
const [model, ...others] = transcripts;
for (const { kind, file, lines } of others) {
  const isSame = lines.join("\n") === model.lines.join("\n");
  check(`${kind} and ${model.kind} return identical responses`, isSame);
  if (isSame) continue;
  try {
    execFileSync("diff", ["--unified=3", "--show-function-line=^[^ ]", model.file, file], { encoding: "utf8" });
  } catch ({ stdout }) {
    console.log(stdout.slice(0, 10_000));
  }
}
const answers = model.lines.filter((line) => !line.startsWith("  ")).length;
console.log(`${answers} requests and races, ${model.lines.length} lines`);
finish();
