// Tests the refresh cookie in Chromium: which requests can use it from an allowed origin, from another origin of the same site and
// from another site, over HTTP on localhost and over HTTPS.
// node cookies.mjs <binary>

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const PORTS = { hallpass: 8140, allowed: 8141, foreign: 8142, elsewhere: 8143, tls: 8144, behindTls: 8145 };

const servers = [];
async function serve(port, server) {
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  servers.push(server);
}
const emptyPage = (_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>a page</title>");
for (const name of ["allowed", "foreign", "elsewhere"]) await serve(PORTS[name], createServer(emptyPage));

const REGISTER = 'mutation { register(input: {username: "NAME", password: "correct horse"}) { accessToken refreshToken user { username } } }';
const REFRESH = "mutation { refreshToken { accessToken refreshToken user { username } } }";
const LOGOUT = "mutation { logout { revokedSessions } }";

/** Sends a document with `fetch` from a page. Returns the body that the page can read, or the name of the error. */
const send = (page, url, query) =>
  page.evaluate(
    async ([url, query]) => {
      try {
        const headers = { "content-type": "application/json" };
        const response = await fetch(url, { method: "POST", credentials: "include", headers, body: JSON.stringify({ query }) });
        return await response.json();
      } catch (error) {
        return error.name;
      }
    },
    [url, query],
  );

/**
 * Sends a document without a CORS preflight, as a CSRF attack would. Returns the status: 403 if the request had the cookie and its
 * origin was rejected, 415 if it had no cookie and only the content type was rejected.
 */
async function sendWithoutPreflight(page, url, query) {
  const answered = page.waitForResponse((response) => response.url() === url && response.request().method() === "POST");
  await page.evaluate(
    ([url, query]) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify({ query }) }),
    [url, query],
  );
  return (await answered).status();
}

async function cookieOf(context, url) {
  const cookies = await context.cookies(url);
  return cookies.find((cookie) => cookie.name.includes("refresh_token"));
}
const generation = (cookie) => JSON.parse(Buffer.from(cookie.value.split(".")[1], "base64url")).gen;

async function overHttp(browser) {
  const stop = await start(process.argv[2], PORTS.hallpass, { ALLOWED_ORIGINS: `http://localhost:${PORTS.allowed}`, BCRYPT_COST: "10" });
  const url = `http://localhost:${PORTS.hallpass}/graphql`;
  const context = await browser.newContext();
  const open = async (host, port) => {
    const page = await context.newPage();
    await page.goto(`http://${host}:${port}/`);
    return page;
  };

  const page = await open("localhost", PORTS.allowed);
  const registered = await send(page, url, REGISTER.replace("NAME", "ada"));
  check("a page of an allowed origin can sign in", registered.data?.register.user.username === "ada");
  check("the response body has no refresh token", registered.data?.register.refreshToken === null);
  check("no script can read the cookie", (await page.evaluate(() => document.cookie)) === "");
  let cookie = await cookieOf(context, url);
  check("the browser stores the cookie with HttpOnly and SameSite=Strict", /^refresh_token_[0-9a-f]{8}$/.test(cookie?.name) && cookie.httpOnly && cookie.sameSite === "Strict");
  check("the cookie persists after the browser session", cookie.expires > Date.now() / 1000 + 6 * 24 * 3600);

  check("the page can refresh", (await send(page, url, REFRESH)).data?.refreshToken.user.username === "ada");
  cookie = await cookieOf(context, url);
  check("a refresh rotates the cookie", generation(cookie) === 1);
  const tabs = [await open("localhost", PORTS.allowed), await open("localhost", PORTS.allowed)];
  await Promise.all(tabs.map((tab) => tab.reload()));
  const both = await Promise.all(tabs.map((tab) => send(tab, url, REFRESH)));
  check("concurrent refreshes in two tabs both succeed", both.every((answer) => answer.data?.refreshToken.accessToken));
  check("both tabs can refresh again", (await send(tabs[0], url, REFRESH)).data && (await send(tabs[1], url, REFRESH)).data);
  cookie = await cookieOf(context, url);

  const foreign = await open("localhost", PORTS.foreign);
  check("CORS blocks a same-site page of another origin", (await send(foreign, url, REFRESH)) === "TypeError");
  check("without a preflight the browser sends the cookie, and the server rejects the request", (await sendWithoutPreflight(foreign, url, LOGOUT)) === 403);
  const form = await open("localhost", PORTS.foreign);
  await form.setContent(`<form method="post" action="${url}" enctype="text/plain"><input name='{"query":"${LOGOUT}","x":"' value='"}'></form>`);
  const [posted] = await Promise.all([form.waitForResponse(url), form.evaluate(() => document.forms[0].submit())]);
  check("a cross-origin form is rejected", posted.status() === 403);

  const elsewhere = await open("127.0.0.1", PORTS.elsewhere);
  check("CORS blocks a cross-site page", (await send(elsewhere, url, REFRESH)) === "TypeError");
  check("the browser sends no cookie from another site", (await sendWithoutPreflight(elsewhere, url, LOGOUT)) === 415);
  const link = await elsewhere.goto(`${url}?query=${encodeURIComponent(LOGOUT)}`);
  check("a mutation by GET is rejected", link.status() === 405);

  check("these requests do not change the cookie", (await cookieOf(context, url)).value === cookie.value);
  check("the cookie still works", (await send(page, url, REFRESH)).data?.refreshToken.user.username === "ada");
  check("logout ends the session", (await send(page, url, LOGOUT)).data?.logout.revokedSessions === 1);
  check("logout clears the cookie", (await cookieOf(context, url)) === undefined);
  check("a refresh after logout finds no session", (await send(page, url, REFRESH)).errors?.[0].extensions.code === "SESSION_NOT_FOUND");
  await context.close();
  await stop();
}

async function overHttps(browser) {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
    "-subj", "/CN=localhost", "-keyout", key, "-out", cert], { stdio: "ignore" });
  const origin = `https://localhost:${PORTS.tls}`;
  const stop = await start(process.argv[2], PORTS.behindTls, { PUBLIC_URL: origin, BCRYPT_COST: "10" });
  const proxy = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    if (request.url === "/page") return emptyPage(request, response);
    const { method, headers, url: path } = request;
    const upstream = httpRequest({ port: PORTS.behindTls, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(upstream);
  });
  rmSync(folder, { recursive: true });
  await serve(PORTS.tls, proxy);

  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`${origin}/page`);
  const url = `${origin}/graphql`;
  check("a page can sign in over HTTPS", (await send(page, url, REGISTER.replace("NAME", "bo"))).data?.register.user.username === "bo");
  const cookie = await cookieOf(context, url);
  check("the browser accepts the Secure __Host- cookie", cookie?.name === "__Host-refresh_token" && cookie.secure && cookie.httpOnly);
  check("the browser sends the cookie", (await send(page, url, REFRESH)).data?.refreshToken.user.username === "bo");
  check("logout clears the cookie over HTTPS", (await send(page, url, LOGOUT)).data?.logout.revokedSessions === 1 && !(await cookieOf(context, url)));
  await context.close();
  await stop();
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  await overHttp(browser);
  await overHttps(browser);
} finally {
  await browser.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}
finish();
