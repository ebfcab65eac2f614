// What the scenarios share: the server, the providers, the mails, and browsers.

import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { assert, fail } from "../checks.mjs";
import { linkIn, mailServer } from "../mail_server.mjs";
import { CLIENT, startProvider } from "../oidc_provider.mjs";
import { start } from "../server.mjs";
import { serveApp } from "./app.mjs";

export const PORTS = { hallpass: 8181, app: 8182, acme: 8183, globex: 8184, smtp: 8185 };
export const home = `http://localhost:${PORTS.hallpass}`;
export const app = `http://localhost:${PORTS.app}`;
export const BROWSER = { executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] };
export const PASSWORD = "correct horse battery";

const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken refreshToken user { id } } }";
const VERIFY = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
const LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken user { id } } }";
const ME = "{ me { id username email emailVerified hasPassword identities { id email provider { id } } } }";

/** Sends an operation without a browser. */
export async function send(query, input, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables: { input } }) });
  const { data, errors } = await response.json();
  return { ...data, code: errors?.[0].extensions.code };
}

export const login = (username, password = PASSWORD) => send(LOGIN, { username, password, tokenDelivery: "BODY" });
export const me = async (token) => (await send(ME, undefined, token)).me;

export class World {
  /** The accounts at both providers, by name. */
  accounts = {};
  #contexts = [];

  constructor(binary) {
    this.binary = binary;
  }

  async launch() {
    this.mails = mailServer({ authOptional: true, disabledCommands: ["STARTTLS"] });
    await this.mails.listen(PORTS.smtp);
    const settings = (id) => ({ port: PORTS[id], redirectUri: `${home}/auth/${id}/callback`, accounts: this.accounts });
    this.acme = await startProvider({ title: "Acme", ...settings("acme") });
    this.globex = await startProvider({ title: "Globex", algorithm: "RS256", hasClaimsInIdToken: false, ...settings("globex") });
    await serveApp(PORTS.app, home);
    this.browser = await chromium.launch(BROWSER);
  }

  /** Starts the server, with the data of the earlier one. */
  async start(settings = {}) {
    const own = {
      ALLOWED_ORIGINS: app, OIDC_PROVIDERS: "acme,globex", OUTGOING_ALLOW: `127.0.0.1:${PORTS.acme},127.0.0.1:${PORTS.globex}`,
      ACME_NAME: "Acme", ACME_ISSUER: this.acme.issuer, ACME_CLIENT_ID: CLIENT.id, ACME_CLIENT_SECRET: CLIENT.secret, ACME_TRUST_EMAIL: "true",
      GLOBEX_NAME: "Globex", GLOBEX_ISSUER: this.globex.issuer, GLOBEX_CLIENT_ID: CLIENT.id, GLOBEX_CLIENT_SECRET: CLIENT.secret,
      SMTP_URL: `smtp://127.0.0.1:${PORTS.smtp}`, MAIL_FROM: "Hallpass <accounts@example.org>", BCRYPT_COST: "10",
    };
    this.server = await start(this.binary, PORTS.hallpass, { ...own, ...settings }, undefined, this.server?.folder);
  }

  /** Runs a scenario, and closes its browsers. If it fails, it leaves a screenshot of each page next to the binary. */
  async scenario(run) {
    const name = run.name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    try {
      await run(this);
    } catch (error) {
      fail(name, error.message);
      for (const [index, tab] of this.#contexts.flatMap((context) => context.pages()).entries()) {
        await tab.screenshot({ path: join(dirname(this.binary), `providers-${name.replaceAll(" ", "-")}-${index + 1}.png`) });
      }
    }
    for (const context of this.#contexts.splice(0)) await context.close();
  }

  /** A tab in a browser of its own, with the app. */
  async device() {
    return this.open(await this.browser.newContext());
  }

  async open(context) {
    this.#contexts.push(context);
    context.setDefaultTimeout(15_000);
    const tab = await context.newPage();
    tab.on("pageerror", (error) => fail("an exception in the page", String(error)));
    await tab.goto(app);
    return tab;
  }

  /** Registers a user with a password, and verifies the address. Returns the tokens. */
  async register(username, { email = `${username}@example.org`, isVerified = true } = {}) {
    const { register } = await send(REGISTER, { username, email, password: PASSWORD, tokenDelivery: "BODY" });
    assert(`${username} is registered`, register);
    const [mail] = await this.mails.mailsTo(email, 1, 15_000);
    if (isVerified) {
      const { verifyEmail } = await send(VERIFY, { token: new URL(linkIn(mail)).searchParams.get("token") });
      assert(`${email} is verified`, verifyEmail);
    }
    return register;
  }

  /** Waits for a number of mails to an address. Returns their subjects. */
  async subjectsTo(address, count) {
    return (await this.mails.mailsTo(address, count, 15_000)).map(({ subject }) => subject);
  }

  /** Waits for a number of mails to an address. Returns whether the latest has this subject. */
  async isMailed(address, count, subject) {
    return (await this.subjectsTo(address, count)).at(-1) === subject;
  }

  /** Moves the sign-in of all sessions of a user into the past, so that it no longer is a recent proof of identity. */
  age(username) {
    const past = (column) => `${column} = strftime('%Y-%m-%dT%H:%M:%f+00:00', ${column}, '-11 minutes')`;
    const user = `SELECT id FROM users WHERE username = '${username}'`;
    const statement = `UPDATE sessions SET ${past("created_at")}, ${past("authenticated_at")} WHERE user_id = (${user})`;
    execFileSync("sqlite3", ["-cmd", ".timeout 10000", join(this.server.folder, "hallpass.db"), statement]);
  }

  async close() {
    await this.browser.close();
    await this.server();
    this.mails.close();
  }
}

/** What the app says, or the page of the server at which the browser has arrived instead. */
export async function shown(tab) {
  const text = tab.locator("output:not(:empty), main").first();
  await text.waitFor();
  return text.innerText();
}

/** Presses the button of the app. */
export const press = (tab, title = "Acme") => tab.getByRole("button", { name: `Sign in with ${title}` }).click();

/** Chooses an account at the provider. */
export const choose = (tab, name) => tab.getByRole("button", { name, exact: true }).click();

/** Signs in with a provider. Returns what the app says then. */
export async function signIn(tab, name, title) {
  await press(tab, title);
  await choose(tab, name);
  return shown(tab);
}

/** Signs out at the providers, which otherwise know who the user is. */
export const forgetProviders = (tab) => tab.context().clearCookies({ domain: "127.0.0.1" });
