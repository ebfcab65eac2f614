// Follows "Add sign-in to a React app" in docs/front-ends.md in an empty folder, and uses the app in Chromium, with the components for other
// providers and for mails. React runs effects twice, because the app is in strict mode and not built. The other files that the page,
// docs/second-factor.md and docs/passkeys.md show must compile. A failure leaves a screenshot in the folder of the binary.
// node manual.mjs <binary>

import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { check, finish } from "./checks.mjs";
import { createManualApp } from "./manual_app.mjs";
import { start } from "./server.mjs";
import { startProvider } from "./small_provider.mjs";

const binary = process.argv[2];
const PORTS = { hallpass: 8150, app: 8151 };

const app = createManualApp(`localhost:${PORTS.hallpass}`);
app.build();
check("the app of the manual compiles with its strict settings", true);

const origin = `http://localhost:${PORTS.app}`;
const provider = await startProvider();
const settings = { ...provider.settings, EMAIL_SIGN_IN: "true", APP_URL: origin };
const stop = await start(binary, PORTS.hallpass, { ALLOWED_ORIGINS: origin, BCRYPT_COST: "10", ...settings });
const stopApp = await app.serve(PORTS.app);

/** The link of the mail to an address. */
async function linkTo(email) {
  for (let tries = 0; tries < 100; tries += 1) {
    const page = await (await fetch(`http://localhost:${PORTS.hallpass}${stop.mails}`)).text();
    const mail = page.replaceAll("&#x2f;", "/").split("<article").find((mail) => mail.includes(`To ${email},`) && mail.includes("/sign-in?token="));
    if (mail) return mail.match(/href="([^"]+\/sign-in\?token=[^"]+)"/)[1];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no mail to ${email}`);
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext();
const tab = await context.newPage();
const errors = [];
tab.on("pageerror", (error) => errors.push(String(error)));
try {
  await tab.goto(origin);
  await tab.getByLabel("Username").fill("ada");
  await tab.getByLabel("Password").fill("short");
  await tab.getByRole("button", { name: "Create account" }).click();
  await tab.getByText("Use at least 8 characters.").waitFor();
  check("a problem is shown at its field", true);
  await tab.getByLabel("Password").fill("correct horse battery");
  await tab.getByRole("button", { name: "Create account" }).click();
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check("the form registers", true);
  await tab.reload();
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check("a reload keeps the user signed in", true);
  const second = await context.newPage();
  await second.goto(origin);
  await second.getByRole("button", { name: "Sign out" }).click();
  await tab.getByRole("heading", { name: "Create an account" }).waitFor();
  check("signing out in the second tab signs out the first", true);
  await tab.getByRole("button", { name: "I have an account" }).click();
  await tab.getByLabel("Username").fill("ada");
  await tab.getByLabel("Password").fill("the wrong password");
  await tab.getByRole("button", { name: "Sign in" }).click();
  await tab.getByRole("alert").filter({ hasText: "incorrect" }).waitFor();
  check("a wrong password is reported above the form", true);

  const extended = app.read("src/App.tsx").replace("return <SignIn />", "return <><SignIn /><Providers /><ByMail /></>");
  app.write("src/App.tsx", `import { ByMail } from "./ByMail";\nimport { Providers } from "./Providers";\n${extended}`);
  const sent = [];
  context.on("request", (request) => sent.push(/(?:query|mutation) (\w+)/.exec(request.postData() ?? "")?.[1]));
  const count = (operation) => sent.filter((name) => name === operation).length;
  await tab.goto(origin);
  await tab.getByRole("button", { name: "Continue with Acme ID" }).click();
  await tab.getByRole("link", { name: "ada" }).click();
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check("a provider signs in, and the code is sent once", count("LoginWithCode") === 1, sent);
  await tab.getByRole("button", { name: "Sign out" }).click();
  await tab.getByRole("button", { name: "Continue with" }).click();
  await tab.getByRole("link", { name: "Cancel" }).click();
  await tab.getByRole("alert").filter({ hasText: "cancelled" }).waitFor();
  check("a cancelled sign-in is reported, although effects run twice", tab.url() === `${origin}/`, tab.url());
  await tab.getByLabel("E-mail address").fill("ada@example.org");
  await tab.getByRole("button", { name: "Send a mail" }).click();
  await tab.getByLabel("Code in the mail to ada@example.org").waitFor();
  const link = await linkTo("ada@example.org");
  await second.goto(link);
  await tab.getByRole("heading", { name: "Hello ada" }).waitFor();
  check("the link of a mail signs in all tabs, and its token is sent once", count("LoginWithEmail") === 1, sent);
  check("the page has no errors", errors.length === 0, ...errors);
} catch (error) {
  await tab.screenshot({ path: join(dirname(binary), "manual.png") });
  throw error;
} finally {
  await browser.close();
}
stopApp();
await stop();
provider.stop();
finish(10);
