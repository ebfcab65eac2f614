// Tests the account lifecycle in Chromium, with a mail server that requires TLS and a password: register, verify the address, change
// it, reset the password, sign in and delete the account. The mail server is down at first, and Hallpass is killed twice while mails
// are queued. Each mail must arrive exactly once.
// node life.mjs <binary>

import { existsSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { authority, certificate } from "./certificates.mjs";
import { assert, fail, finish } from "./checks.mjs";
import { linkIn, mailServer } from "./mail_server.mjs";
import { start } from "./server.mjs";

const [binary] = process.argv.slice(2);
const port = 8137;
const smtpPort = 8138;
const home = `http://localhost:${port}`;
const ca = authority("ours");
const [cert, key] = certificate("ours", "localhost").map((file) => readFileSync(file));
const settings = { SMTP_URL: `smtps://hallpass:p%40ss@localhost:${smtpPort}?ca=${ca}`, MAIL_FROM: "Hallpass <accounts@example.org>", DEV_MAIL: "false", BCRYPT_COST: "10", RUST_LOG: "error,hallpass::cli=info" };

const server = mailServer({
  secure: true,
  cert,
  key,
  onAuth({ username, password }, session, done) {
    const isRight = username === "hallpass" && password === "p@ss";
    done(isRight ? null : new Error("no such user"), isRight ? { user: username } : undefined);
  },
});
const { mails, mailsTo } = server;

/** Sends a GraphQL request from the explorer's page, with the browser's cookies. */
async function ask(tab, query, input, bearer) {
  const { data, errors } = await tab.evaluate(
    async ([query, input, bearer]) => {
      const headers = { "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) };
      return (await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables: { input } }) })).json();
    },
    [query, input, bearer],
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Opens the link in a mail, submits its form and checks the heading of the result. */
async function follow(tab, mail, expected, fill = async () => {}) {
  await tab.goto(linkIn(mail));
  await fill();
  await tab.getByRole("button").click();
  const heading = await tab.locator("h1").textContent();
  assert(`the heading is "${expected}": "${heading}"`, heading === expected);
  await tab.goto(`${home}/playground`);
}

async function testLifecycle(tab, restart) {
  await tab.goto(`${home}/playground`);
  const register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
  const password = "correct horse battery";
  let token = (await ask(tab, register, { username: "ada", email: "ada@example.org", password })).register.accessToken;
  // The mail server is not running yet, so the first attempts fail. The restarts discard everything that is not stored.
  await restart();
  // Tokens in the body, because a cookie for Bo would replace Ada's session in this browser.
  await ask(tab, register, { username: "bo", email: "bo@example.org", password, tokenDelivery: "BODY" });
  await restart();
  assert("no mail arrives before the mail server starts", mails.length === 0);
  await server.listen(smtpPort);
  const [verification] = await mailsTo("ada@example.org", 1);
  await mailsTo("bo@example.org", 1);

  await follow(tab, verification, "Thank you");
  const me = async () => (await ask(tab, "{ me { email emailVerified pendingEmail } }", undefined, token)).me;
  assert("the address is verified", (await me()).emailVerified);

  await ask(tab, "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { user { id } } }", { newEmail: "ada@new.example" }, token);
  assert("the address stays unchanged until the new one is verified", (await me()).email === "ada@example.org" && (await me()).pendingEmail === "ada@new.example");
  await follow(tab, (await mailsTo("ada@new.example", 1))[0], "Thank you");
  assert("the address is changed", (await me()).email === "ada@new.example");
  const [, notice] = await mailsTo("ada@example.org", 2);
  assert("the old address is notified without a token", notice.subject === "Your e-mail address was changed" && !notice.text.includes("token"));

  const forgotten = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
  await ask(tab, forgotten, { email: "ada@new.example" });
  const [, reset] = await mailsTo("ada@new.example", 2);
  const another = "another good password";
  await follow(tab, reset, "The password is changed", () => tab.locator("#password").fill(another));
  const login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
  const refused = await ask(tab, login, { username: "ada", password }).catch((error) => error.message);
  assert("the old password is rejected", refused.includes("INVALID_CREDENTIALS"));
  token = (await ask(tab, login, { username: "ada@new.example", password: another })).login.accessToken;
  await mailsTo("ada@new.example", 3);

  await ask(tab, "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedUserId } }", { password: another }, token);
  const [, , , deletion] = await mailsTo("ada@new.example", 4);
  assert("the deletion of the account is notified", deletion.subject === "Your account was deleted");
  const gone = await ask(tab, login, { username: "ada", password: another }).catch((error) => error.message);
  assert("a deleted account cannot sign in", gone.includes("INVALID_CREDENTIALS"));
  await ask(tab, forgotten, { email: "ada@new.example" });

  // Bo's mail is the last in the queue. After it arrives, no other mail can follow.
  await ask(tab, forgotten, { email: "bo@example.org" });
  await mailsTo("bo@example.org", 2);
  server.close();
  const addresses = [...new Set(mails.map(({ to }) => to))].sort();
  const counts = addresses.map((address) => `${address} ${mails.filter(({ to }) => to === address).length}`);
  assert(`each mail arrives exactly once: ${counts}`, counts.join() === "ada@example.org 2,ada@new.example 4,bo@example.org 2");
  assert("each mail has a text and an HTML part", mails.every(({ text, html }) => text && html));
}

let stop = await start(binary, port, settings);
const { folder } = stop;
const restart = async () => {
  await stop.kill();
  stop = await start(binary, port, settings, undefined, folder);
};
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync),
  args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
try {
  await testLifecycle(await (await browser.newContext({ locale: "en-GB" })).newPage(), restart);
} catch (error) {
  fail(error.message);
}
await browser.close();
await stop();
finish();
