// An OpenID Connect provider for the other scripts: the package `oidc-provider` with a page on which the user chooses an account.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { createMemoryAdapter } from "oidc-provider/lib/adapters/memory_adapter.js";
import { atExit } from "./server.mjs";

export const CLIENT = { id: "hallpass", secret: "a-secret-of-the-client" };
const KEY_TYPES = { ES256: ["ec", { namedCurve: "P-256" }], RS256: ["rsa", { modulusLength: 2048 }] };

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** A page with a button for each account, and one that cancels. */
function loginPage(title, uid, names) {
  const buttons = names.map((name) => `<p><button name="account" value="${escape(name)}">${escape(name)}</button></p>`);
  return `<!doctype html><title>${title}</title><h1>Sign in to ${title}</h1>
<form method="post" action="/interaction/${uid}">${buttons.join("")}<p><button name="cancel" value="yes">Cancel</button></p></form>`;
}

async function formOf(request) {
  let body = "";
  for await (const part of request) body += part;
  return new URLSearchParams(body);
}

/** What the package needs to know. The client is confidential, and must use PKCE. */
function configuration({ port, redirectUri, algorithm, hasClaimsInIdToken, accounts }) {
  const { privateKey } = generateKeyPairSync(...KEY_TYPES[algorithm]);
  // Browsers send cookies to all ports of a host, so each provider needs its own names.
  const names = Object.fromEntries(["session", "interaction", "resume"].map((name) => [name, `${name}_${port}`]));
  return {
    // With the same adapter by default, the package warns that it is for development.
    adapter: createMemoryAdapter(0),
    clients: [{
      client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri], response_types: ["code"],
      grant_types: ["authorization_code"], id_token_signed_response_alg: algorithm,
    }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: algorithm }] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username", "name"] },
    conformIdTokenClaims: !hasClaimsInIdToken,
    cookies: { keys: [randomUUID()], names },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    findAccount(_, name) {
      const account = accounts[name];
      return account && { accountId: name, claims: () => ({ sub: name, ...account }) };
    },
    // Users are not asked what the client may know.
    async loadExistingGrant({ oidc }) {
      // A new grant would revoke the codes of the earlier one, which another tab may still need.
      const earlier = await oidc.provider.Grant.find(oidc.session.grantIdFor(oidc.client.clientId) ?? "");
      if (earlier?.accountId === oidc.session.accountId) return earlier;
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
    renderError(context, { error, error_description: description }) {
      context.type = "html";
      context.body = `<!doctype html><title>Error</title><h1>${escape(error)}</h1><p>${escape(description ?? "")}</p>`;
    },
  };
}

/**
 * Starts a provider at `http://127.0.0.1:port`, for one client with this redirect URI. `accounts` has the claims of each account by its
 * name, and may change later; `sub` is the name if there is none. Claims other than `sub` are in the ID token, or in the user info.
 *
 * If a path begins with `isDown`, the provider closes the connection. It is "/" if nothing works.
 */
export async function startProvider({ title, port, redirectUri, accounts, algorithm = "ES256", hasClaimsInIdToken = true }) {
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, configuration({ port, redirectUri, algorithm, hasClaimsInIdToken, accounts }));
  const handle = provider.callback();
  const started = { issuer, accounts, isDown: undefined };
  async function interact(request, response) {
    const { uid } = await provider.interactionDetails(request, response);
    if (request.method === "GET") {
      return response.setHeader("content-type", "text/html").end(loginPage(title, uid, Object.keys(accounts)));
    }
    const form = await formOf(request);
    const result = form.has("cancel") ? { error: "access_denied" } : { login: { accountId: form.get("account") } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const server = createServer((request, response) => {
    if (started.isDown && request.url.startsWith(started.isDown)) return request.socket.destroy();
    if (!request.url.startsWith("/interaction/")) return handle(request, response);
    // An interaction works once, in the browser that has its cookie.
    interact(request, response).catch(({ message }) => response.writeHead(400, { "content-type": "text/html" }).end(`<h1>${escape(message)}</h1>`));
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  atExit(() => server.close());
  return started;
}
