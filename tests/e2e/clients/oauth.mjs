// Tests third-party clients and services with OAuth and REST: curl and requests as in FastAPI's tutorials, oauth4webapi,
// requests-oauthlib, oauthlib, Authlib, and FastAPI services that accept the tokens.
// node oauth.mjs <binary> <python with the packages>

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as oauth from "oauth4webapi";
import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, python] = process.argv.slice(2);
const SECRET = "4c1f".repeat(8);

/** Runs curl as in the tutorials. Returns the status and the parsed body. */
function curl(home, ...parameters) {
  const { stdout } = spawnSync("curl", ["-s", "-w", "\n%{http_code}", ...parameters.map((text) => text.replace(/^@/, home))], { encoding: "utf8" });
  const lines = stdout.split("\n");
  const status = Number(lines.pop());
  return { status, body: JSON.parse(lines.join("\n") || "null") };
}

function tutorials(home) {
  const json = ["-H", "Content-Type: application/json"];
  const form = ["-H", "Content-Type: application/x-www-form-urlencoded"];
  const person = '{"email": "user@example.com", "username": "testuser", "password": "password123"}';
  const registered = curl(home, "-X", "POST", "@/register", ...json, "-d", person);
  check("curl: register", registered.status === 200 && registered.body.email === "user@example.com" && registered.body.is_active === true);
  const again = curl(home, "-X", "POST", "@/register", ...json, "-d", person.replace("testuser", "newuser"));
  check("curl: register with a taken e-mail address", again.status === 400);
  const granted = curl(home, "-X", "POST", "@/token", ...form, "-d", "grant_type=password&username=testuser&password=password123");
  check("curl: token, with a grant type", granted.status === 200 && granted.body.token_type === "bearer");
  const token = curl(home, "-X", "POST", "@/token", ...form, "-d", "username=testuser&password=password123");
  check("curl: token, without a grant type", token.status === 200);
  const bearer = ["-H", `Authorization: Bearer ${token.body.access_token}`];
  const me = curl(home, "-X", "GET", "@/users/me", ...bearer);
  check("curl: users/me", me.status === 200 && me.body.username === "testuser" && me.body.disabled === false);
  const route = curl(home, "-X", "GET", "@/protected", ...bearer, "-H", "Accept-Language: ru");
  check("curl: protected", route.body.message === "Привет, testuser! Это защищённый маршрут.");
  const wrong = curl(home, "-X", "POST", "@/token", ...form, "-d", "username=testuser&password=wrongpassword");
  check("curl: a wrong password", wrong.status === 401 && wrong.body.error === "invalid_grant");
  check("curl: no token", curl(home, "-X", "GET", "@/protected").status === 401);
  check("curl: an invalid token", curl(home, "-X", "GET", "@/protected", "-H", "Authorization: Bearer invalid_token").status === 401);
  const login = curl(home, "-X", "POST", "@/login", ...json, "-d", '{"username": "testuser", "password": "password123"}');
  check("curl: login", login.status === 200 && login.body.token_type === "bearer");
}

/** Tests with oauth4webapi, which validates each response against its RFC. */
async function webapi(home) {
  const options = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(home);
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...options });
  const server = await oauth.processDiscoveryResponse(issuer, discovered);
  const app = { client_id: "app" };
  const none = oauth.None();
  const password = new URLSearchParams({ username: "testuser", password: "password123" });
  const granted = await oauth.genericTokenEndpointRequest(server, app, none, "password", password, options);
  const tokens = await oauth.processGenericTokenEndpointResponse(server, app, granted);
  check("oauth4webapi: the password grant", tokens.token_type === "bearer" && tokens.expires_in === 1800);
  const refresh = await oauth.refreshTokenGrantRequest(server, app, none, tokens.refresh_token, options);
  const fresh = await oauth.processRefreshTokenResponse(server, app, refresh);
  check("oauth4webapi: the refresh grant", fresh.refresh_token !== tokens.refresh_token);
  const me = await oauth.protectedResourceRequest(fresh.access_token, "GET", new URL(`${home}/users/me`), undefined, undefined, options);
  check("oauth4webapi: a protected resource", (await me.json()).username === "testuser");
  const service = { client_id: "api" };
  for (const [name, authentication] of [["basic", oauth.ClientSecretBasic(SECRET)], ["post", oauth.ClientSecretPost(SECRET)]]) {
    const asked = await oauth.introspectionRequest(server, service, authentication, fresh.access_token, options);
    const introspected = await oauth.processIntrospectionResponse(server, service, asked);
    check(`oauth4webapi: introspection by client_secret_${name}`, introspected.active && introspected.username === "testuser" && introspected.iss === home);
  }
  const revoked = await oauth.revocationRequest(server, app, none, fresh.refresh_token, options);
  check("oauth4webapi: revocation", (await oauth.processRevocationResponse(revoked)) === undefined);
  const asked = await oauth.introspectionRequest(server, service, oauth.ClientSecretBasic(SECRET), fresh.access_token, options);
  check("oauth4webapi: a revoked token is inactive", (await oauth.processIntrospectionResponse(server, service, asked)).active === false);
  const refused = await oauth.refreshTokenGrantRequest(server, app, none, fresh.refresh_token, options);
  const error = await oauth.processRefreshTokenResponse(server, app, refused).catch((error) => error);
  check("oauth4webapi: a revoked session cannot be refreshed", error.error === "invalid_grant");
}

const settings = { BCRYPT_COST: "10", PASSWORD_BLOCKLIST: "false", OAUTH_CLIENTS: `api:${SECRET}` };
for (const [index, algorithm] of ["HS256", "EdDSA"].entries()) {
  const port = 8147 + index;
  const home = `http://localhost:${port}`;
  const keys = algorithm === "HS256" ? {} : { JWT_ALGORITHM: algorithm, JWT_KEYS: "keys" };
  const server = await start(binary, port, { ...settings, ...keys }, (run) => Object.keys(keys).length && run(["key", "generate"]));
  console.log(algorithm);
  tutorials(home);
  await webapi(home);
  const key = algorithm === "HS256" ? server.run(["key", "show", "access"]).trim() : "";
  const environment = { ...process.env, OAUTHLIB_INSECURE_TRANSPORT: "1", AUTHLIB_INSECURE_TRANSPORT: "1", HALLPASS_KEY: key, CLIENT_SECRET: SECRET };
  const script = join(import.meta.dirname, "oauth_clients.py");
  const { status } = spawnSync(python, [script, home, algorithm], { env: environment, stdio: "inherit" });
  check(`${algorithm}: clients and services in Python`, status === 0);
  await server();
}
finish();
