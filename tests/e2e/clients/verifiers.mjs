// Verifies access tokens with the published keys and common libraries (jose, PyJWT) during a key rotation under load. No request may
// fail, and tokens of both keys must be valid.
// node verifiers.mjs <binary> <python with PyJWT>

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { calculateJwkThumbprint, createRemoteJWKSet, jwtVerify } from "jose";
import { check, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, python] = process.argv.slice(2);
const WORKERS = 8;
const CLAIMS = '{"role": {"$role": [{"admin": "web_admin"}, {"user": "web_user"}]}, "https://hasura.io/jwt/claims": {"x-hasura-user-id": "$id", "x-hasura-default-role": {"$role": ["user"]}, "x-hasura-allowed-roles": "$roles"}, "groups": "$roles"}';

async function graphql(port, query, token) {
  const response = await fetch(`http://localhost:${port}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function signIn(port, mutation, username) {
  const input = `input: {username: "${username}", password: "correct horse"}`;
  return (await graphql(port, `mutation { ${mutation}(${input}) { accessToken } }`))[mutation].accessToken;
}

const kidOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;

async function tryAlgorithm(algorithm, port) {
  const server = await start(binary, port, { JWT_ALGORITHM: algorithm, JWT_KEYS: "keys", BCRYPT_COST: "10", ACCESS_TOKEN_CLAIMS: CLAIMS }, (run) => run(["key", "generate"]));
  const url = `http://localhost:${port}`;
  // Each worker has its own user, because the 101st sign-in of a user ends the oldest session.
  const workers = Array.from({ length: WORKERS }, (_, index) => `worker${index}`);
  for (const worker of workers) await signIn(port, "register", worker);
  const old = await signIn(port, "register", "ada");

  const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`), { cooldownDuration: 0 });
  const expected = { issuer: url, audience: url, algorithms: [algorithm], typ: "at+jwt" };
  const jose = async (token) => (await jwtVerify(token, keys, expected)).payload.preferred_username === "ada";
  const pyjwt = (token) => spawnSync(python, [join(import.meta.dirname, "verify.py"), url, algorithm], { input: token, stdio: ["pipe", "inherit", "inherit"] }).status === 0;
  check(`${algorithm}: jose verifies`, await jose(old));
  check(`${algorithm}: PyJWT verifies`, pyjwt(old));
  // A verifier that knows only the issuer, as Kubernetes does.
  const discovered = await (await fetch(`${url}/.well-known/openid-configuration`)).json();
  const { payload } = await jwtVerify(old, createRemoteJWKSet(new URL(discovered.jwks_uri)), { ...expected, issuer: discovered.issuer });
  const hasura = payload["https://hasura.io/jwt/claims"];
  check(`${algorithm}: Hasura's claims are verified`, hasura["x-hasura-user-id"] === payload.sub && hasura["x-hasura-allowed-roles"].includes(hasura["x-hasura-default-role"]));
  check(`${algorithm}: the claims for PostgREST and Kubernetes are verified`, payload.role === "web_user" && payload.groups.join() === "user");
  const [published] = (await (await fetch(`${url}/.well-known/jwks.json`)).json()).keys;
  check(`${algorithm}: the kid is the RFC 7638 thumbprint`, (await calculateJwkThumbprint(published, "sha256")) === published.kid);

  // Workers sign in and run `me` continuously while a new key is generated that becomes active in two seconds.
  let requests = 0;
  const failures = [];
  let current = old;
  const until = Date.now() + 30_000;
  const work = async (username) => {
    while (kidOf(current) === kidOf(old) && Date.now() < until) {
      try {
        current = await signIn(port, "login", username);
        await graphql(port, "{ me { id } }", current);
        await graphql(port, "{ me { id } }", old);
        requests += 3;
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const working = workers.map(work);
  const at = new Date(Date.now() + 2000).toISOString();
  server.run(["key", "generate", "--at", at]);
  process.kill(server.pid, "SIGHUP");
  await Promise.all(working);
  for (const failure of failures.slice(0, 3)) console.log(failure.message);
  check(`${algorithm}: none of ${requests} requests failed during the key rotation`, failures.length === 0 && requests > 0);
  const renewed = await signIn(port, "login", "ada");
  check(`${algorithm}: the new key signs`, kidOf(renewed) !== kidOf(old));
  check(`${algorithm}: jose verifies tokens of both keys`, (await jose(renewed)) && (await jose(old)));
  check(`${algorithm}: PyJWT verifies tokens of both keys`, pyjwt(renewed) && pyjwt(old));
  check(`${algorithm}: there are two key files`, readdirSync(join(server.folder, "keys")).length === 2);
  await server();
}

for (const [index, algorithm] of ["EdDSA", "ES256", "RS256"].entries()) await tryAlgorithm(algorithm, 8133 + index);
finish();
