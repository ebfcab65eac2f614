// The life of an account, with and without JavaScript.

import { check } from "../checks.mjs";
import { codeOf } from "../totp.mjs";
import { origin } from "./app.mjs";
import { ADDRESS, PASSWORD, cookieOf, fill, heading, inspect, openBrowser, openLink, press, signIn } from "./browser.mjs";
import { LOGIN, graphql, mailbox } from "./hallpass.mjs";

/** The life of an account. Returns the browser, in which the user is signed in. */
export async function lifeCycle(username, options) {
  const hasScripts = options.javaScriptEnabled !== false;
  const how = hasScripts ? "with JavaScript" : "without JavaScript";
  const { context, tab } = await openBrowser(options);
  await context.addCookies([{ name: "session", value: "chosen-by-an-attacker", url: origin }]);
  await tab.goto(origin);
  await heading(tab, "Sign in");
  await inspect(tab, "sign-in", hasScripts);
  await tab.getByRole("link", { name: "Create an account" }).click();
  await heading(tab, "Create an account");
  const email = `${username}@example.org`;
  await fill(tab, { Username: username, "E-mail address": email, Password: "short" });
  await press(tab, "Create account");
  await tab.getByText("Use at least 8 characters.").waitFor();
  const field = tab.getByLabel("Password");
  check(`${how}, a problem is shown at its field`, (await field.getAttribute("aria-invalid")) === "true");
  check(`${how}, a rejected form keeps what was typed, except the password`, (await tab.getByLabel("Username").inputValue()) === username && (await field.inputValue()) === "");
  await inspect(tab, "register-problem", hasScripts);
  await fill(tab, { Password: PASSWORD });
  await press(tab, "Create account");
  await heading(tab, `Hello ${username}`);
  const cookie = await cookieOf(context);
  check(`${how}, a sign-in makes a new id`, cookie.value.length >= 43 && (await context.cookies()).length === 1);
  check(`${how}, the cookie is HttpOnly and SameSite=Lax`, cookie.httpOnly && cookie.sameSite === "Lax" && cookie.path === "/");
  await inspect(tab, "home", hasScripts);

  await press(tab, "Send the verification mail again");
  await tab.getByRole("status").waitFor();
  await openLink(tab, mailbox, email, "/verify-email");
  await inspect(tab, "verify-email", hasScripts);
  await press(tab, "Verify");
  await heading(tab, "Your e-mail address is verified");
  await tab.getByRole("link", { name: "Continue" }).click();
  await tab.getByText(`${email} (verified)`).waitFor();
  check(`${how}, the link in the mail verifies the address`, true);

  await tab.getByRole("link", { name: "Profile" }).click();
  await fill(tab, { Username: "no spaces", "First name": "Ada" });
  await press(tab, "Save");
  await tab.locator("#username-text").waitFor();
  await fill(tab, { Username: username });
  await press(tab, "Save");
  await tab.getByText("Your profile is saved.").waitFor();
  await inspect(tab, "profile", hasScripts);
  check(`${how}, the form shows the saved profile`, (await tab.getByLabel("First name").inputValue()) === "Ada");
  await tab.getByRole("link", { name: "Home" }).click();
  await heading(tab, "Hello Ada");
  check(`${how}, the profile can be changed`, true);

  await graphql(LOGIN, { username, password: PASSWORD });
  await tab.getByRole("link", { name: "Sessions" }).click();
  await heading(tab, "Sessions");
  const items = tab.getByRole("main").getByRole("listitem");
  check(`${how}, Hallpass sees the forwarded address and browser`, /Chrom/.test(await items.filter({ hasText: ADDRESS }).textContent()));
  await inspect(tab, "sessions", hasScripts);
  await press(tab, "Sign out all others");
  await items.filter({ hasText: "node" }).waitFor({ state: "detached" });
  check(`${how}, other sessions can be ended`, true);

  await tab.getByRole("link", { name: "Password" }).click();
  await heading(tab, "Password");
  await fill(tab, { "Current password": "not this one", "New password": "another good password" });
  await press(tab, "Change password");
  await tab.locator("#currentPassword-text").waitFor();
  await inspect(tab, "password-problem", hasScripts);
  await fill(tab, { "Current password": PASSWORD, "New password": "another good password" });
  await press(tab, "Change password");
  await tab.getByText("Your password is changed.").waitFor();
  check(`${how}, the password can be changed`, true);

  await tab.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await heading(tab, "Sign in");
  check(`${how}, signing out removes the cookie`, (await context.cookies()).length === 0);
  // Without JavaScript, the previous page is the result of a form, which the browser does not load again by itself.
  await (hasScripts ? tab.goBack() : tab.goto(`${origin}/password`));
  await heading(tab, "Sign in");
  check(`${how}, going back after it shows no page of the user`, true);

  await tab.goto(`${origin}/forgot-password`);
  await inspect(tab, "forgot-password", hasScripts);
  await fill(tab, { "E-mail address": email });
  await press(tab, "Send a link");
  await tab.getByRole("status").waitFor();
  await openLink(tab, mailbox, email, "/reset-password");
  await fill(tab, { "New password": "password123" });
  await press(tab, "Save");
  await tab.locator("#newPassword-text").filter({ hasText: "easy to guess" }).waitFor();
  await inspect(tab, "reset-password", hasScripts);
  await fill(tab, { "New password": PASSWORD });
  await press(tab, "Save");
  await tab.getByText("Your password is changed. Sign in with the new one.").waitFor();
  await signIn(tab, username, "the wrong password");
  await tab.getByRole("alert").filter({ hasText: "incorrect" }).waitFor();
  await inspect(tab, "sign-in-problem", hasScripts);
  await signIn(tab, username);
  await heading(tab, "Hello Ada");
  check(`${how}, a forgotten password can be replaced`, true);
  return { context, tab };
}

const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
const ENROLL = "mutation { startTotpEnrollment { secret } }";
const CONFIRM = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }";

/** The sign-in of a user who has an authenticator app. */
export async function secondFactor(username, options) {
  const hasScripts = options.javaScriptEnabled !== false;
  const how = hasScripts ? "with JavaScript" : "without JavaScript";
  const { accessToken } = (await graphql(REGISTER, { username, password: PASSWORD })).register;
  const { secret } = (await graphql(ENROLL, undefined, accessToken)).startTotpEnrollment;
  const { recoveryCodes } = (await graphql(CONFIRM, { code: codeOf(secret) }, accessToken)).confirmTotpEnrollment;

  const { context, tab } = await openBrowser(options);
  await signIn(tab, username);
  await heading(tab, "Enter the code");
  await inspect(tab, "enter-code", hasScripts);
  const [cookie, ...others] = await context.cookies();
  check(`${how}, the password alone opens no session`, cookie.name === "challenge" && cookie.httpOnly && others.length === 0, cookie.name);
  await fill(tab, { Code: "000000" });
  await press(tab, "Sign in");
  await tab.getByRole("alert").filter({ hasText: "code" }).waitFor();
  await inspect(tab, "enter-code-problem", hasScripts);
  await fill(tab, { Code: recoveryCodes[0] });
  await press(tab, "Sign in");
  await heading(tab, `Hello ${username}`);
  check(`${how}, a code opens the session`, (await context.cookies()).every(({ name }) => name === "session"));
  await tab.goto(`${origin}/sign-in/code`);
  await fill(tab, { Code: "000000" });
  await press(tab, "Sign in");
  await tab.getByText("Enter your password again").waitFor();
  check(`${how}, a code without the password leads back to it`, true);
  await context.close();
}
