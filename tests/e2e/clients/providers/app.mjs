// The app of the scenarios: a page that signs in and links with the code of docs/providers.md.

import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { blocks, page } from "../markdown.mjs";
import { atExit } from "../server.mjs";

/** The code blocks of the manual. Those in lists are indented. */
export const manual = blocks(page(fileURLToPath(new URL("../../../../docs/providers.md", import.meta.url))).replaceAll(/^ {3}/gm, ""));
const blockWith = (text) => manual.find((block) => block.text.includes(text)).text;
const OPERATIONS = {
  providers: blockWith("identityProviders { id name startUrl }"),
  login: blockWith("loginWithCode("),
  startLink: blockWith("startIdentityLink(").replace('"google"', '"acme"'),
  finishLink: blockWith("finishIdentityLink("),
  unlink: blockWith("unlinkIdentity("),
  refresh: "mutation { refreshToken { accessToken user { username } } }",
  verifyMfa: "mutation($token: String!, $code: String!) { verifyMfa(input: { token: $token, factor: { totpCode: $code } }) { accessToken user { username } } }",
};

/** What the page does. It runs in the browser, after the code of the manual. */
function run(home, operations) {
  const show = (text) => (document.querySelector("output").textContent = text);
  /** Sends an operation with the access token and the cookies. Returns the data, and the code of the first error. */
  window.send = async (operation, variables) => {
    const headers = { "content-type": "application/json", ...(window.token && { authorization: `Bearer ${window.token}` }) };
    const body = JSON.stringify({ query: operations[operation] ?? operation, variables });
    const { data, errors } = await (await fetch(`${home}/graphql`, { method: "POST", credentials: "include", headers, body })).json();
    const { code, mfa } = errors?.[0].extensions ?? {};
    return { ...data, code, mfa };
  };
  const enter = (payload) => {
    window.token = payload.accessToken;
    window.user = payload.user;
  };
  /** Continues the session of the refresh cookie. */
  window.resume = async () => {
    const { refreshToken, code } = await send("refresh");
    if (refreshToken) enter(refreshToken);
    return refreshToken ? `Session of ${user.username}` : code;
  };
  const signIn = async (exchange) => {
    const { loginWithCode, code, mfa } = await send("login", exchange);
    window.mfa = mfa;
    if (loginWithCode) enter(loginWithCode);
    return loginWithCode ? `Signed in: ${user.username}` : code;
  };
  window.verify = async (totpCode) => {
    const { verifyMfa, code } = await send("verifyMfa", { token: mfa.token, code: totpCode });
    if (verifyMfa) enter(verifyMfa);
    return verifyMfa ? `Signed in: ${user.username}` : code;
  };
  const link = async (exchange) => {
    await resume();
    const { finishIdentityLink, code } = await send("finishLink", exchange);
    return finishIdentityLink ? `Linked: ${finishIdentityLink.identity.email}` : code;
  };
  window.makeChallenge = async () => {
    const verifier = encode(crypto.getRandomValues(new Uint8Array(32)));
    sessionStorage.setItem("codeVerifier", verifier);
    return encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  };
  /** Asks for the address that starts a link. */
  window.startLink = async () => send("startLink", { returnTo: `${location.origin}/linked`, codeChallenge: await makeChallenge() });

  async function load() {
    const query = new URLSearchParams(location.search);
    history.replaceState(null, "", location.pathname);
    const { serverInfo } = await send("providers");
    let result = query.get("error");
    if (query.has("code")) {
      window.exchange = { code: query.get("code"), codeVerifier: sessionStorage.getItem("codeVerifier") ?? "" };
      result = await (location.pathname === "/linked" ? link(exchange) : signIn(exchange));
    }
    show(result ?? (await resume()));
    for (const { name, startUrl } of serverInfo.identityProviders) {
      const button = document.createElement("button");
      button.textContent = `Sign in with ${name}`;
      button.onclick = () => {
        show("");
        return signInWith(startUrl);
      };
      document.body.append(button);
    }
  }
  load().catch((error) => show(String(error)));
}

/** Serves the app on all paths of `http://localhost:port`. */
export async function serveApp(port, home) {
  const script = `${blockWith("async function signInWith")}\n(${run})(${JSON.stringify(home)}, ${JSON.stringify(OPERATIONS)});`;
  const html = `<!doctype html><title>App</title><output></output><script>${script}</script>`;
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(html));
  await new Promise((resolve) => server.listen(port, "localhost", resolve));
  atExit(() => server.close());
}
