// A whole life in Chromium, with a real mail server that wants TLS and a password: register, verify by the mail's link, change the address, forget the password,
// sign in with the new one, leave. The mail server is down at first, and Hallpass is killed twice while mails wait: each arrives
// once.
// node life.mjs <binary>

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { chromium } from "playwright-core";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";
import { authority, certificate } from "./certificates.mjs";
import { start } from "./server.mjs";

const [binary] = process.argv.slice(2);
const port = 8137;
const smtpPort = 8138;
const home = `http://localhost:${port}`;
const ca = authority("ours");
const [cert, key] = certificate("ours").map((file) => readFileSync(file));
const settings = { SMTP_URL: `smtps://hallpass:p%40ss@localhost:${smtpPort}?ca=${ca}`, MAIL_FROM: "Hallpass <accounts@example.org>", DEV_MAIL: "false", BCRYPT_COST: "10", RUST_LOG: "error,hallpass::cli=info" };

let steps = 0;
function check(name, isSo) {
  steps += 1;
  if (!isSo) throw new Error(`not so: ${name}`);
}

const mails = [];
let arrived = () => {};

async function openMailServer() {
  const server = new SMTPServer({
    secure: true,
    cert,
    key,
    onAuth({ username, password }, session, done) {
      const isRight = username === "hallpass" && password === "p@ss";
      done(isRight ? null : new Error("no such user"), isRight ? { user: username } : undefined);
    },
    onData(stream, session, done) {
      buffer(stream).then((bytes) => PostalMime.parse(bytes)).then((mail) => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address).join(), subject: mail.subject, text: mail.text, html: mail.html });
        done();
        arrived();
      }, done);
    },
  });
  server.listen(smtpPort, "127.0.0.1");
  await once(server.server, "listening");
  return server;
}

/** The mails to an address, as soon as there are so many. What a killed process had in hand is left alone for three minutes. */
async function mailsTo(address, count) {
  const deadline = AbortSignal.timeout(240_000);
  for (;;) {
    const those = mails.filter(({ to }) => to === address);
    if (those.length >= count) return those;
    await new Promise((resolve, reject) => {
      arrived = resolve;
      deadline.addEventListener("abort", () => reject(new Error(`${those.length} of ${count} mails to ${address}`)));
    });
  }
}

const linkIn = ({ text }) => text.match(/http:\/\/\S+\?token=\S+/)[0];

/** Asks by the browser, with its cookies, from the explorer's page. */
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

async function follow(tab, mail, expected, fill = async () => {}) {
  await tab.goto(linkIn(mail));
  await fill();
  await tab.getByRole("button").click();
  const heading = await tab.locator("h1").textContent();
  check(`${expected}, not ${heading}`, heading === expected);
  await tab.goto(`${home}/playground`);
}

async function life(tab, restart) {
  await tab.goto(`${home}/playground`);
  const register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
  const password = "correct horse battery";
  let token = (await ask(tab, register, { username: "ada", email: "ada@example.org", password })).register.accessToken;
  // There is no mail server yet. Let the first try fail before all is lost that is not stored.
  await restart();
  // With a cookie, Bo's session would replace Ada's in this browser.
  await ask(tab, register, { username: "bo", email: "bo@example.org", password, tokenDelivery: "BODY" });
  await restart();
  check("nothing has arrived", mails.length === 0);
  const server = await openMailServer();
  const [verification] = await mailsTo("ada@example.org", 1);
  await mailsTo("bo@example.org", 1);

  await follow(tab, verification, "Thank you");
  const me = async () => (await ask(tab, "{ me { email emailVerified pendingEmail } }", undefined, token)).me;
  check("verified", (await me()).emailVerified);

  await ask(tab, "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { user { id } } }", { newEmail: "ada@new.example" }, token);
  check("not before the new mailbox says so", (await me()).email === "ada@example.org" && (await me()).pendingEmail === "ada@new.example");
  await follow(tab, (await mailsTo("ada@new.example", 1))[0], "Thank you");
  check("moved", (await me()).email === "ada@new.example");
  const [, told] = await mailsTo("ada@example.org", 2);
  check("the old address hears of it", told.subject === "Your e-mail address was changed" && !told.text.includes("token"));

  const forgotten = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
  await ask(tab, forgotten, { email: "ada@new.example" });
  const [, reset] = await mailsTo("ada@new.example", 2);
  const another = "another good password";
  await follow(tab, reset, "The password is changed", () => tab.locator("#password").fill(another));
  const login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
  const refused = await ask(tab, login, { username: "ada", password }).catch((error) => error.message);
  check("the old password is none", refused.includes("INVALID_CREDENTIALS"));
  token = (await ask(tab, login, { username: "ada@new.example", password: another })).login.accessToken;
  await mailsTo("ada@new.example", 3);

  await ask(tab, "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedUserId } }", { password: another }, token);
  const gone = await ask(tab, login, { username: "ada", password: another }).catch((error) => error.message);
  check("gone", gone.includes("INVALID_CREDENTIALS"));
  await ask(tab, forgotten, { email: "ada@new.example" });

  // Somebody else's mail is the last in the queue: once it is here, nothing else can come.
  await ask(tab, forgotten, { email: "bo@example.org" });
  await mailsTo("bo@example.org", 2);
  server.close();
  const addresses = [...new Set(mails.map(({ to }) => to))].sort();
  const counts = addresses.map((address) => `${address} ${mails.filter(({ to }) => to === address).length}`);
  check(`each mail came once: ${counts}`, counts.join() === "ada@example.org 2,ada@new.example 3,bo@example.org 2");
  check("in both forms", mails.every(({ text, html }) => text && html));
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
let mistake;
try {
  await life(await (await browser.newContext({ locale: "en-GB" })).newPage(), restart);
} catch (error) {
  mistake = error;
}
await browser.close();
await stop();
if (mistake) console.error(mistake.message);
console.log(`${steps} steps${mistake ? ", then a failure" : ""}`);
process.exit(mistake ? 1 : 0);
