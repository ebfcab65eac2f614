// Sign-in with another provider in Chromium: the button of docs/providers.md, a provider on another site, and two tabs.
// node providers.mjs <binary>

import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { check, fail, finish } from "./checks.mjs";
import { blocks, page } from "./markdown.mjs";
import { atExit, start } from "./server.mjs";

const binary = process.argv[2];
const PORTS = { hallpass: 8178, app: 8179, provider: 8180 };
const home = `http://localhost:${PORTS.hallpass}`;
const app = `http://localhost:${PORTS.app}`;
/** Another site than the app and the server, so that cookies are sent as to a real provider. */
const issuer = `http://127.0.0.1:${PORTS.provider}`;
const manual = blocks(page(fileURLToPath(new URL("../../../docs/providers.md", import.meta.url))));
const button = manual.find(({ text }) => text.includes("async function signInWith")).text;
const exchange = manual.find(({ text }) => text.includes("loginWithCode")).text;

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const base64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const grants = new Map();

/** The provider. Its page has a button for each of its users, and one that cancels. */
function provider(request, response) {
  const url = new URL(request.url, issuer);
  const json = (body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  const redirect = (location) => response.writeHead(302, { location }).end();
  const parameters = Object.fromEntries(url.searchParams);
  switch (url.pathname) {
    case "/.well-known/openid-configuration":
      return json({
        issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`,
        response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["ES256"],
      });
    case "/keys":
      return json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "key", use: "sig" }] });
    case "/authorize": {
      const link = (path, text) => `<p><a href="${path}${url.search.replaceAll("&", "&amp;")}">${text}</a></p>`;
      return response.setHeader("content-type", "text/html").end(`<!doctype html><title>Provider</title>${link("/approve", "Ada")}${link("/cancel", "Cancel")}`);
    }
    case "/approve": {
      const code = randomUUID();
      grants.set(code, parameters);
      return redirect(`${parameters.redirect_uri}?${new URLSearchParams({ code, state: parameters.state })}`);
    }
    case "/cancel":
      return redirect(`${parameters.redirect_uri}?${new URLSearchParams({ error: "access_denied", state: parameters.state })}`);
    case "/token": {
      let body = "";
      request.on("data", (part) => (body += part));
      return request.on("end", () => {
        const form = Object.fromEntries(new URLSearchParams(body));
        const grant = grants.get(form.code);
        grants.delete(form.code);
        const isRight = grant?.code_challenge === createHash("sha256").update(form.code_verifier ?? "").digest("base64url");
        if (!isRight) return response.writeHead(400), json({ error: "invalid_grant" });
        const now = Math.floor(Date.now() / 1000);
        const claims = { iss: issuer, aud: "hallpass", sub: "1", iat: now, exp: now + 60, nonce: grant.nonce, email: "ada@example.org", email_verified: true, preferred_username: "ada" };
        const message = `${base64({ alg: "ES256", kid: "key", typ: "JWT" })}.${base64(claims)}`;
        const signature = sign("sha256", Buffer.from(message), { key: privateKey, dsaEncoding: "ieee-p1363" });
        return json({ access_token: "token", token_type: "Bearer", id_token: `${message}.${signature.toString("base64url")}` });
      });
    }
    default:
      return response.writeHead(404).end();
  }
}

/** The app: the button of the manual, and a page that exchanges the code. */
const APP = `<!doctype html><title>App</title><button id="acme">Sign in with Acme</button><output></output><script>
${button}
const send = async (query, variables) => (await fetch("${home}/graphql", {
  method: "POST", credentials: "include", headers: { "content-type": "application/json" }, body: JSON.stringify({ query, variables }),
})).json();
const show = (text) => (document.querySelector("output").textContent = text);
document.querySelector("#acme").onclick = async () => {
  const { data } = await send("{ serverInfo { identityProviders { id startUrl } } }");
  await signInWith(data.serverInfo.identityProviders[0].startUrl);
};
const query = new URLSearchParams(location.search);
if (query.has("error")) show(query.get("error"));
if (query.has("code")) {
  send(${JSON.stringify(exchange)}, { code: query.get("code"), codeVerifier: sessionStorage.getItem("codeVerifier") }).then(({ data, errors }) =>
    show(errors ? errors[0].extensions.code : "Hello " + data.loginWithCode.user.username));
}
</script>`;

async function serve(port, host, handle) {
  const server = createServer(handle);
  await new Promise((resolve) => server.listen(port, host, resolve));
  atExit(() => server.close());
}

await serve(PORTS.provider, "127.0.0.1", provider);
await serve(PORTS.app, "localhost", (_, response) => response.setHeader("content-type", "text/html").end(APP));
const stop = await start(binary, PORTS.hallpass, {
  ALLOWED_ORIGINS: app, OIDC_PROVIDERS: "acme", ACME_ISSUER: issuer, ACME_CLIENT_ID: "hallpass", ACME_CLIENT_SECRET: "secret",
  ACME_TRUST_EMAIL: "true", OUTGOING_ALLOW: `127.0.0.1:${PORTS.provider}`,
});
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
atExit(() => browser.close());
const context = await browser.newContext();
context.setDefaultTimeout(20_000);
try {
  const tab = await context.newPage();
  await tab.goto(app);
  await tab.getByRole("button").click();
  await tab.getByRole("link", { name: "Ada" }).click();
  await tab.getByText("Hello ada").waitFor();
  check("the button signs in", new URL(tab.url()).pathname === "/signed-in", tab.url());
  const cookies = await context.cookies();
  check("the cookie of the flow is gone", cookies.every(({ name }) => !name.startsWith("auth_")), cookies);
  const refresh = cookies.find(({ name }) => name.startsWith("refresh_token"));
  check("the refresh token is in a cookie that scripts cannot read", refresh?.httpOnly && refresh.sameSite === "Strict", cookies);
  await tab.reload();
  await tab.getByText("CODE_INVALID").waitFor();
  check("the code works once", true);

  await tab.goto(app);
  await tab.getByRole("button").click();
  await tab.getByRole("link", { name: "Cancel" }).click();
  await tab.getByText("PROVIDER_REFUSED").waitFor();
  check("a cancelled sign-in returns to the app", true);

  const other = await context.newPage();
  for (const page of [tab, other]) {
    await page.goto(app);
    await page.getByRole("button").click();
    await page.getByRole("link", { name: "Ada" }).waitFor();
  }
  for (const page of [tab, other]) {
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByText("Hello ada").waitFor();
  }
  check("two tabs sign in at once", true);

  // The address of the callback in another browser.
  await tab.goto(app);
  await tab.getByRole("button").click();
  const approved = await tab.getByRole("link", { name: "Ada" }).getAttribute("href");
  const answer = await fetch(new URL(approved, issuer), { redirect: "manual" });
  const victim = await (await browser.newContext()).newPage();
  const shown = await victim.goto(answer.headers.get("location"));
  check("the return of another browser is refused", shown.status() === 400 && (await victim.getByText("Start again").isVisible()), shown.status());
} catch (error) {
  fail("providers", error.message);
}
await browser.close();
await stop();
finish(7);
