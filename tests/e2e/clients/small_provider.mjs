// A small OpenID Connect provider for the tests of apps. Its page has a link for each of its users, and one that cancels.

import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { atExit } from "./server.mjs";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts the provider at a free port of 127.0.0.1, another site than `localhost`. `users` are names; their addresses are verified. */
export async function startProvider({ users = ["ada"], port = 0 } = {}) {
  const grants = new Map();
  let issuer;

  function handle(request, response) {
    const url = new URL(request.url, issuer);
    const json = (body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    const { redirect_uri, state, ...parameters } = Object.fromEntries(url.searchParams);
    const redirect = (result) => response.writeHead(302, { location: `${redirect_uri}?${new URLSearchParams({ ...result, state })}` }).end();
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return json({
          issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`,
          response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["ES256"],
        });
      case "/keys":
        return json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "key", use: "sig" }] });
      case "/authorize": {
        const query = url.search.replaceAll("&", "&amp;");
        const links = users.map((user) => `<p><a href="/approve${query}&amp;user=${user}">${user}</a></p>`).join("");
        response.setHeader("content-type", "text/html");
        return response.end(`<!doctype html><html lang="en"><title>Provider</title>${links}<p><a href="/cancel${query}">Cancel</a></p></html>`);
      }
      case "/approve": {
        const code = randomUUID();
        grants.set(code, parameters);
        return redirect({ code });
      }
      case "/cancel":
        return redirect({ error: "access_denied" });
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
          const { nonce, user } = grant;
          const claims = {
            iss: issuer, aud: "hallpass", sub: user, iat: now, exp: now + 60, nonce, email: `${user}@example.org`, email_verified: true,
            preferred_username: user,
          };
          const message = `${base64({ alg: "ES256", kid: "key", typ: "JWT" })}.${base64(claims)}`;
          const signature = sign("sha256", Buffer.from(message), { key: privateKey, dsaEncoding: "ieee-p1363" });
          return json({ access_token: "token", token_type: "Bearer", id_token: `${message}.${signature.toString("base64url")}` });
        });
      }
      default:
        return response.writeHead(404).end();
    }
  }

  const server = createServer(handle);
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${server.address().port}`;
  atExit(() => server.close());
  return {
    issuer,
    /** The settings of a server that has this provider, with the id `acme`. */
    settings: {
      OIDC_PROVIDERS: "acme", ACME_NAME: "Acme ID", ACME_ISSUER: issuer, ACME_CLIENT_ID: "hallpass", ACME_CLIENT_SECRET: "secret", ACME_TRUST_EMAIL: "true",
      OUTGOING_ALLOW: new URL(issuer).host,
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
