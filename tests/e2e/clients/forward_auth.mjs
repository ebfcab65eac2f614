// An app behind nginx and Caddy, with the manual's configurations: a browser signs in and out, and clients lie about who they are.
// node forward_auth.mjs <binary> <page with the configurations> [<folder for screenshots>]

import { createServer } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { PASSWORD } from "./accounts.mjs";
import { authority, certificate } from "./certificates.mjs";
import { check, finish } from "./checks.mjs";
import { blocks, page } from "./markdown.mjs";
import { spawnCaddy, spawnNginx } from "./proxies.mjs";
import { start } from "./server.mjs";

const [binary, manual, screenshots] = process.argv.slice(2);
const PORTS = { hallpass: 8211, app: 8212, accounts: 8213, nginx: 8214, caddy: 8215 };
const HOME = `https://accounts.example.org:${PORTS.accounts}`;
const COOKIE = "__Secure-forward_auth";

authority("ca");
const [pem, key] = certificate("ca", "accounts.example.org", "wiki.example.org");

function replace(text, ...pairs) {
  for (const [from, to] of pairs) {
    if (!text.includes(from)) throw new Error(`the manual's configuration does not contain \`${from}\``);
    text = text.replaceAll(from, to);
  }
  return text;
}

const configurations = Object.fromEntries(blocks(page(manual)).map(({ language, text }) => [language, text]));
const addresses = [
  ["127.0.0.1:8000", `127.0.0.1:${PORTS.hallpass}`],
  ["127.0.0.1:3000", `127.0.0.1:${PORTS.app}`],
];

/** The accounts server and the app behind nginx. */
function startNginx() {
  const tls = `ssl_certificate ${pem}; ssl_certificate_key ${key};`;
  const protectedApp = replace(configurations.nginx, ...addresses, ["listen 443 ssl;", `listen 127.0.0.1:${PORTS.nginx} ssl;`], [
    "ssl_certificate /etc/ssl/wiki.example.org.pem;",
    tls,
  ]).replace(/^ *ssl_certificate_key \/etc.*\n/m, "");
  return spawnNginx(`server { listen 127.0.0.1:${PORTS.accounts} ssl; server_name accounts.example.org; ${tls}
        location / { proxy_pass http://127.0.0.1:${PORTS.hallpass}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; } }
      ${protectedApp}`);
}

function startCaddy() {
  const site = replace(configurations.caddy, ...addresses, ["wiki.example.org {", `https://wiki.example.org:${PORTS.caddy} {\n    bind 127.0.0.1\n    tls ${pem} ${key}`]);
  spawnCaddy(site);
}

/** What the app received last. It answers with a page that names the user. */
let received;
const app = createServer((incoming, response) => {
  received = incoming.headers;
  response.setHeader("content-type", "text/html");
  response.end(`<!doctype html><title>Wiki</title><link rel="icon" href="data:,"><h1>Hello ${incoming.headers["remote-user"]}</h1><p>${incoming.url.replaceAll("&", "&amp;")}</p>`);
}).listen(PORTS.app, "127.0.0.1");

/** Sends a request to the protected app. Returns the status and the header `Location`, and what the app received, if anything. */
function send(port, { method = "GET", path = "/", headers = {}, host = "wiki.example.org" } = {}) {
  received = undefined;
  const all = { host: `${host}:${port}`, ...headers };
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers: all, servername: host, rejectUnauthorized: false, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, location: response.headers.location, headers: response.headers, text, received }));
    });
    sent.on("error", reject).end();
  });
}

async function isUp(port, host) {
  for (const until = Date.now() + 15_000; Date.now() < until; await sleep(50)) {
    if (await send(port, { host }).then(({ status }) => status < 500, () => false)) return;
  }
  throw new Error(`port ${port} does not respond: ${nginx.log()}`);
}

const stop = await start(binary, PORTS.hallpass, {
  PUBLIC_URL: HOME,
  SECRET_KEY: "4be1c6a8d2f0937ab5e8c1d7f3a96024",
  FORWARD_AUTH: "cookie",
  FORWARD_AUTH_COOKIE_DOMAIN: "example.org",
  PROXY_HEADER: "x-forwarded-for",
  TRUSTED_PROXIES: "127.0.0.1",
  BCRYPT_COST: "10",
});
const nginx = startNginx();
startCaddy();
await isUp(PORTS.accounts, "accounts.example.org");
await isUp(PORTS.nginx);
await isUp(PORTS.caddy);

async function graphql(query, input) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ query, variables: { input } });
  const response = await fetch(`http://127.0.0.1:${PORTS.hallpass}/graphql`, { method: "POST", headers, body });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return { data, cookies: response.headers.getSetCookie() };
}

const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken refreshToken user { id } } }";
const ada = await graphql(REGISTER, { username: "ada", password: PASSWORD, email: "ada@example.org", tokenDelivery: "COOKIE" });
const { accessToken, user } = ada.data.register;
const cookie = ada.cookies.find((line) => line.startsWith(`${COOKIE}=`)).split(";")[0];

/** Requests of clients that lie. Each must reach the app without the lie, or not at all. */
async function lies(name, port) {
  const lying = { "remote-user": "root", "remote-email": "root@example.org", "remote-groups": "admin", "remote-user-id": "1" };
  const anonymous = await send(port, { path: "/page?a=1&b=2", headers: lying });
  check(`${name}: a request without a sign-in does not reach the app`, !anonymous.received && anonymous.status === 303, anonymous);
  const returnTo = new URL(anonymous.location).searchParams.get("return_to");
  check(`${name}: the redirect leads to the sign-in page and back`, anonymous.location.startsWith(`${HOME}/sign-in?`) && returnTo === `https://wiki.example.org:${port}/page?a=1&b=2`, anonymous.location);

  for (const [way, headers] of Object.entries({ cookie: { cookie: `a=1; ${cookie}; b=2` }, token: { authorization: `Bearer ${accessToken}`, cookie: "a=1; b=2" } })) {
    const answer = await send(port, { headers: { ...lying, ...headers } });
    const { "remote-user": username, "remote-user-id": id, "remote-groups": groups, "remote-email": email, cookie: cookies } = answer.received ?? {};
    check(`${name}: the app learns the true user by ${way}`, username === "ada" && id === user.id && groups === "user", answer);
    check(`${name}: the client's address is removed if the user's own is not verified, by ${way}`, answer.received && !email, answer);
    check(`${name}: the app receives its own cookies only, by ${way}`, cookies?.replaceAll(" ", "") === "a=1;b=2", cookies);
  }
  for (const [order, cookies, expected] of [
    ["first", `${cookie}; a=1`, "a=1"],
    ["last", `a=1; ${cookie}`, "a=1"],
    ["alone", cookie, ""],
    ["between others twice", `a=1; ${cookie}; b=2; ${cookie}`, name === "nginx" ? "" : "a=1; b=2"],
    ["sent twice", `${cookie}; ${cookie}`, ""],
  ]) {
    const answer = await send(port, { headers: { cookie: cookies } });
    const rest = (answer.received?.cookie ?? "").split(";").map((part) => part.trim()).filter(Boolean).join("; ");
    check(`${name}: the cookie of forward-auth is removed if it is ${order}`, answer.status === 200 && rest === expected, answer);
  }
  const underscores = await send(port, { headers: { remote_user: "root", remote_email: "root@example.org", cookie } });
  check(`${name}: names with underscores are removed`, underscores.status === 200 && !Object.keys(underscores.received).some((key) => key.startsWith("remote_")), underscores);
  for (const method of ["POST", "DELETE", "OPTIONS"]) {
    const refused = await send(port, { method, headers: { ...lying, origin: "https://evil.example", "access-control-request-method": "GET" } });
    check(`${name}: ${method} without a sign-in does not reach the app`, !refused.received && refused.status !== 200, refused);
  }
  const forged = await send(port, { headers: { cookie: `${COOKIE}=x.y.z`, "x-forwarded-host": "evil.example" } });
  check(`${name}: an address of the client's own is not returned to`, !forged.received && !forged.location?.includes("evil.example"), forged);
}

let shots = 0;
const shoot = async (tab, name) => screenshots && (await tab.screenshot({ path: join(screenshots, `${(shots += 1)}-${name}.png`) }));

/** A browser opens the app, signs in, and signs out. */
async function visits(name, port) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const tab = await context.newPage();
  const page = `https://wiki.example.org:${port}/page?a=1&b=2`;
  await tab.goto(page);
  check(`${name}: the browser is led to the sign-in page`, tab.url().startsWith(`${HOME}/sign-in?`), tab.url());
  await shoot(tab, `${name}-sign-in`);
  await tab.getByLabel("Username or e-mail address").fill("ada");
  await tab.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await tab.getByRole("button", { name: "Sign in", exact: true }).click();
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check(`${name}: and back to the address that it asked for`, tab.url() === page, tab.url());
  await shoot(tab, `${name}-app`);

  await context.clearCookies({ name: COOKIE });
  await tab.goto(page);
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check(`${name}: a browser that is signed in, but without the cookie, continues without a form`, tab.url() === page, tab.url());

  const kept = (await context.cookies(page)).find((cookie) => cookie.name === COOKIE);
  check(`${name}: the cookie is for the domain, and not for scripts`, kept.domain === ".example.org" && kept.httpOnly && kept.secure && kept.sameSite === "Lax", kept);
  await tab.goto(`${HOME}/sign-in`);
  await tab.getByRole("button", { name: "Sign out" }).click();
  await tab.getByRole("heading", { name: "Sign in" }).waitFor();
  await tab.goto(page);
  check(`${name}: after the sign-out, the app is closed`, tab.url().startsWith(`${HOME}/sign-in?`), tab.url());
  const replayed = await send(port, { headers: { cookie: `${COOKIE}=${kept.value}` } });
  check(`${name}: a copy of the cookie ends with the session`, !replayed.received && replayed.status === 303, replayed);
  await context.close();
}

await lies("nginx", PORTS.nginx);
await lies("Caddy", PORTS.caddy);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--host-resolver-rules=MAP *.example.org 127.0.0.1"] });
await visits("nginx", PORTS.nginx);
await visits("Caddy", PORTS.caddy);
await browser.close();

await stop.kill();
for (const [name, port] of [["nginx", PORTS.nginx], ["Caddy", PORTS.caddy]]) {
  const answer = await send(port, { headers: { cookie } });
  check(`${name}: without Hallpass, the app is closed`, !answer.received && answer.status >= 500, answer);
}
app.close();
finish(50);
