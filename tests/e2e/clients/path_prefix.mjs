// A server whose PUBLIC_URL has a path, behind nginx and Caddy with the manual's configurations: a browser uses the explorer, the pages and
// the REST documentation, beside another app on the same origin.
// node path_prefix.mjs <binary> graphiql|small <page with the configurations> [<folder for screenshots>]

import { createServer } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { PASSWORD } from "./accounts.mjs";
import { authority, certificate } from "./certificates.mjs";
import { check, fail, finish } from "./checks.mjs";
import { linkIn, mailServer } from "./mail_server.mjs";
import { blocks, page } from "./markdown.mjs";
import { spawnCaddy, spawnNginx } from "./proxies.mjs";
import { start } from "./server.mjs";

const [binary, kind, manual, screenshots] = process.argv.slice(2);
const PORTS = { hallpass: 8201, app: 8202, nginx: 8203, caddy: 8204, mail: 8205 };
const PREFIX = "/accounts";

authority("ca");
const [pem, key] = certificate("ca", "example.org");

const configurations = Object.fromEntries(blocks(page(manual)).map(({ language, text }) => [language, text]));
for (const name of ["nginx", "caddyfile"]) {
  if (!configurations[name]?.includes("127.0.0.1:8000")) throw new Error(`the manual has no configuration of ${name} for 127.0.0.1:8000`);
  configurations[name] = configurations[name].replaceAll("127.0.0.1:8000", `127.0.0.1:${PORTS.hallpass}`);
}

function startNginx() {
  spawnNginx(`server { listen 127.0.0.1:${PORTS.nginx} ssl; server_name example.org; ssl_certificate ${pem}; ssl_certificate_key ${key};
    ${configurations.nginx}
    location / { proxy_pass http://127.0.0.1:${PORTS.app}; } }`);
}

function startCaddy() {
  spawnCaddy(`https://example.org:${PORTS.caddy} {
    bind 127.0.0.1
    tls ${pem} ${key}
${configurations.caddyfile}
    handle {
        reverse_proxy 127.0.0.1:${PORTS.app}
    }
}
`);
}

/** The other app of the origin. Its page shows the cookies that it has received. */
const app = createServer((incoming, response) => {
  response.setHeader("content-type", "text/html");
  response.end(`<!doctype html><title>App</title><link rel="icon" href="data:,"><h1>App</h1><p>${incoming.url}</p><pre>${incoming.headers.cookie ?? ""}</pre>`);
}).listen(PORTS.app, "127.0.0.1");

function send(port, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method: body ? "POST" : "GET", headers: { host: `example.org:${port}`, ...headers }, servername: "example.org", rejectUnauthorized: false, agent: false };
    const sent = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on("error", reject).end(body);
  });
}

async function isUp(port) {
  for (const until = Date.now() + 15_000; Date.now() < until; await sleep(50)) {
    if (await send(port, "/").then(({ status }) => status < 500, () => false)) return;
  }
  throw new Error(`port ${port} does not respond`);
}

/** Where the standards put documents, and what does not exist. */
async function paths(name, port, home) {
  for (const path of [
    `/.well-known/oauth-authorization-server${PREFIX}`,
    `/.well-known/openid-configuration${PREFIX}`,
    `${PREFIX}/.well-known/openid-configuration`,
  ]) {
    const answer = await send(port, path);
    check(`${name}: ${path} describes the issuer`, answer.status === 200 && JSON.parse(answer.text).issuer === home, answer);
  }
  const origins = await send(port, "/.well-known/webauthn");
  check(`${name}: the origins of passkeys are at the root of the origin`, JSON.parse(origins.text).origins.includes(new URL(home).origin), origins);
  const redirect = await send(port, PREFIX);
  check(`${name}: the prefix without a slash leads to the explorer`, redirect.status > 300 && redirect.status < 309 && new URL(redirect.headers.location, home).pathname === `${PREFIX}/`, redirect);
  const elsewhere = await send(port, "/graphql");
  check(`${name}: other paths belong to the other app`, elsewhere.text.includes("<p>/graphql</p>"), elsewhere);
}

let shots = 0;
const shoot = async (tab, name) => screenshots && (await tab.screenshot({ path: join(screenshots, `${(shots += 1)}-${name}.png`) }));

const mailbox = mailServer({ authOptional: true, disabledCommands: ["STARTTLS"] });
await mailbox.listen(PORTS.mail);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--host-resolver-rules=MAP example.org 127.0.0.1"] });

/** A person registers, signs in and out, verifies the address, and uses the explorer and the documentation. */
async function visits(name, port, home) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(20_000);
  const tab = await context.newPage();
  tab.on("request", (sent) => {
    const url = sent.url();
    if (!url.startsWith(`${home}/`) && !url.startsWith(`${new URL(home).origin}/app`) && !/^(data|blob):/.test(url)) fail(`${name}: unexpected request to ${url}`);
  });
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) fail(`${name}: console message: ${message.text()}`);
  });
  const back = `${new URL(home).origin}/app`;
  await tab.goto(`${home}/sign-in?return_to=${encodeURIComponent(back)}`);
  await shoot(tab, `${name}-sign-in`);
  await tab.getByRole("link", { name: "Create an account" }).click();
  await tab.getByLabel("Username").fill(`ada-${name.toLowerCase()}`);
  await tab.getByLabel("E-mail", { exact: false }).fill(`ada@${name.toLowerCase()}.example`);
  await tab.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await tab.getByRole("button", { name: "Create an account" }).click();
  await tab.getByRole("heading", { name: "App" }).waitFor();
  check(`${name}: the sign-in page returns to the other app`, tab.url() === back, tab.url());
  check(`${name}: which does not receive the cookies`, (await tab.locator("pre").textContent()) === "", await tab.locator("pre").textContent());
  const kept = await context.cookies(home);
  check(`${name}: the cookies have the path and the name of a prefix`, kept.length > 0 && kept.every(({ name, path, secure, httpOnly }) => name.startsWith("__Secure-") && path === PREFIX && secure && httpOnly), kept);

  const [mail] = await mailbox.mailsTo(`ada@${name.toLowerCase()}.example`, 1);
  check(`${name}: links in mails lead below the prefix`, linkIn(mail).startsWith(`${home}/verify-email?token=`), linkIn(mail));
  await tab.goto(linkIn(mail));
  await shoot(tab, `${name}-verify`);
  await tab.getByRole("button").click();
  await tab.waitForURL(`${home}/verify-email?result=done`);
  const color = await tab.locator("main").evaluate((element) => getComputedStyle(element).maxWidth);
  check(`${name}: the pages have their style sheet`, color !== "none", color);

  // The explorer finds the session by the cookie.
  await tab.goto(`${home}/`);
  await tab.getByText(`Signed in as ada-${name.toLowerCase()}`).first().waitFor();
  await shoot(tab, `${name}-explorer`);
  const links = await tab.locator("link[rel=help]").evaluateAll((all) => all.map(({ href }) => href));
  check(`${name}: the explorer links to addresses below the prefix`, links.length === 2 && links.every((link) => link.startsWith(`${home}/`)), links);
  await tab.goto(`${home}/docs`);
  await tab.getByText("/users/me").first().waitFor();
  await shoot(tab, `${name}-docs`);
  if (kind === "graphiql") {
    await tab.goto(`${home}/redoc`);
    await tab.getByRole("heading", { name: "The signed-in user" }).first().waitFor();
  }

  await tab.goto(`${home}/sign-in`);
  await tab.getByRole("button", { name: "Sign out" }).click();
  await tab.getByRole("heading", { name: "Sign in" }).waitFor();
  await tab.goto(`${home}/`);
  await tab.getByText("Not signed in").first().waitFor();
  await context.close();
}

/** An OAuth client that knows only the issuer. */
async function clients(name, port, home) {
  const metadata = JSON.parse((await send(port, `/.well-known/oauth-authorization-server${PREFIX}`)).text);
  const path = (url) => new URL(url).pathname;
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams({ grant_type: "password", username: `ada-${name.toLowerCase()}`, password: PASSWORD }).toString();
  const tokens = JSON.parse((await send(port, path(metadata.token_endpoint), { headers: form, body })).text);
  const claims = JSON.parse(Buffer.from(tokens.access_token.split(".")[1], "base64url"));
  check(`${name}: the issuer of tokens is the address of the server`, claims.iss === home, claims);
  const me = await send(port, `${PREFIX}/users/me`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  check(`${name}: the token is accepted`, JSON.parse(me.text).username === `ada-${name.toLowerCase()}`, me);
}

const proxies = [["nginx", PORTS.nginx, startNginx], ["Caddy", PORTS.caddy, startCaddy]];
for (const [name, port, startProxy] of proxies) {
  const home = `https://example.org:${port}${PREFIX}`;
  const stop = await start(binary, PORTS.hallpass, {
    PUBLIC_URL: home,
    SECRET_KEY: "4be1c6a8d2f0937ab5e8c1d7f3a96024",
    PROXY_HEADER: "x-forwarded-for",
    TRUSTED_PROXIES: "127.0.0.1",
    SMTP_URL: `smtp://127.0.0.1:${PORTS.mail}?tls=none`,
    MAIL_FROM: "accounts@example.org",
    BCRYPT_COST: "10",
  });
  startProxy();
  await isUp(port);
  await paths(name, port, home);
  await visits(name, port, home);
  await clients(name, port, home);
  await stop();
}
await browser.close();
mailbox.close();
app.close();
finish(25);
