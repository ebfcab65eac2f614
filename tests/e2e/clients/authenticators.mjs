// Real authenticators set up an account and sign in: oathtool with the secret, pyotp with the URI, and pyotp with what zbarimg reads from the QR
// code on a screenshot of Chromium.
// node authenticators.mjs <binary> <python with pyotp>

import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";
import { check, fail, finish } from "./checks.mjs";
import { start } from "./server.mjs";

const [binary, python] = process.argv.slice(2);
const port = 8166;
const home = `http://localhost:${port}`;
const PASSWORD = "correct horse battery";

const PYOTP = `
import datetime, json, sys, pyotp
totp = pyotp.parse_uri(sys.stdin.read())
later = datetime.datetime.now() + datetime.timedelta(seconds=30)
print(json.dumps({
    "account": [totp.issuer, totp.name, totp.digits, totp.interval, totp.digest().name],
    "codes": [totp.now(), totp.at(later)],
}))
`;

/** Runs a program. Secrets are passed by standard input. */
const run = (program, parameters, input) => execFileSync(program, parameters, { input, encoding: "utf8" }).trim();
const pyotp = (uri) => JSON.parse(run(python, ["-c", PYOTP], uri));

/** The current code and the next one. A code works once, and the next one is accepted early, so nothing has to wait. */
const authenticators = {
  oathtool: ({ secret }) => run("oathtool", ["--totp", "--base32", "--window=1", "-"], secret).split("\n"),
  "pyotp with the URI": ({ otpauthUri }) => pyotp(otpauthUri).codes,
  "pyotp with the QR code": async ({ qrCodeSvg }) => pyotp((await scan(qrCodeSvg, "black", 1)).text).codes,
};

async function send(query, input, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables: { input } }) });
  const { data, errors } = await response.json();
  return { ...data, error: errors?.[0].extensions };
}

const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
const LOGIN = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
const START = "mutation { startTotpEnrollment { secret otpauthUri qrCodeSvg } }";
const CONFIRM = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }";
const VERIFY = "mutation($input: VerifyMfaInput!) { verifyMfa(input: $input) { user { username } } }";

/** Registers a user and starts the enrollment. */
async function enroll(username) {
  const { register } = await send(REGISTER, { username, password: PASSWORD });
  const { startTotpEnrollment } = await send(START, undefined, register.accessToken);
  return { token: register.accessToken, enrollment: startTotpEnrollment };
}

async function signIn(username, totpCode) {
  const { error } = await send(LOGIN, { username, password: PASSWORD, tokenDelivery: "BODY" });
  return send(VERIFY, { token: error.mfa.token, factor: { totpCode } });
}

async function testAuthenticator(name, codesOf, username) {
  const { token, enrollment } = await enroll(username);
  const codes = await codesOf(enrollment);
  const confirmed = await send(CONFIRM, { code: codes[0] }, token);
  check(`${name} sets up the account`, confirmed.confirmTotpEnrollment?.recoveryCodes.length === 10, confirmed.error);
  const reused = await signIn(username, codes[0]);
  check(`${name}: a code does not work twice`, reused.error?.code === "MFA_CODE_INVALID", reused);
  const { verifyMfa, error } = await signIn(username, codes[1]);
  check(`${name} signs in with the next code`, verifyMfa?.user.username === username, error);
}

async function testQrCode() {
  const { enrollment } = await enroll("scanner");
  for (const page of ["white", "black"]) {
    for (const scale of [1, 2]) {
      const { text, codes } = await scan(enrollment.qrCodeSvg, page, scale);
      check(`zbarimg reads the exact URI on a ${page} page, scale ${scale}`, text === enrollment.otpauthUri && codes === 1, codes);
    }
  }
  const { account } = pyotp(enrollment.otpauthUri);
  const expected = ["localhost", "scanner", 6, 30, "sha1"];
  check("pyotp reads the account from the URI", JSON.stringify(account) === JSON.stringify(expected), account);
}

/** Shows a QR code in a page of this color, and reads it from a screenshot. */
async function scan(svg, page, deviceScaleFactor) {
  const context = await browser.newContext({ deviceScaleFactor, viewport: { width: 800, height: 600 } });
  const tab = await context.newPage();
  const image = `<img alt="QR code" src="data:image/svg+xml,${encodeURIComponent(svg)}">`;
  await tab.setContent(`<body style="background: ${page}">${image}`);
  await tab.locator("img").evaluate((image) => image.decode());
  const screenshot = await tab.screenshot();
  await context.close();
  const lines = run("zbarimg", ["--raw", "--quiet", "--nodbus", "-Sdisable", "-Sqrcode.enable", "png:-"], screenshot).split("\n");
  return { text: lines[0], codes: lines.length };
}

const stop = await start(binary, port, { BCRYPT_COST: "10" });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  await testQrCode();
  for (const [index, [name, codesOf]] of Object.entries(authenticators).entries()) await testAuthenticator(name, codesOf, `user_${index}`);
} catch (error) {
  fail(error.message);
}
await browser.close();
await stop();
finish(14);
