// The life of an account, with each page audited.

import { check } from "../checks.mjs";
import { heading, PASSWORD, problem, region, submit } from "./browser.mjs";

export async function accountLifecycle(world) {
  const device = await world.device();
  const tab = await world.open(device);
  await heading(tab, "Sign in");
  await world.audit(tab, "sign-in");
  await register(world, tab);
  await verify(world, tab);
  await names(tab);
  await email(world, tab);
  await password(world, tab);
  await reset(world, tab);
  await remove(world, tab);
}

async function register(world, tab) {
  await world.register(await world.device(), "taken");
  await tab.getByRole("link", { name: "Create account" }).click();
  await heading(tab, "Create account");
  check("the focus moves to the heading of the next page", await tab.evaluate(() => document.activeElement.tagName === "H1"));
  await submit(tab, "Create account");
  await problem(tab, "username", "Fill in this field.");
  await submit(tab, "Create account", { username: "not a name", email: "nonsense", password: "short" });
  await problem(tab, "username", "Use letters A–Z");
  await problem(tab, "email", "Enter an e-mail address");
  await problem(tab, "password", "At least 8 characters.");
  check("the rules of the server are checked before the request", !tab.sent.includes("Register"));
  await world.audit(tab, "register-problems");
  await submit(tab, "Create account", { username: "Taken", email: "ada@example.org", password: "password123" });
  await problem(tab, "password", "easy to guess");
  await submit(tab, "Create account", { password: PASSWORD });
  await problem(tab, "username", "taken");
  check("the problems that the server finds are shown at their fields", true);
  await tab.getByRole("combobox").selectOption("ru");
  await heading(tab, "Зарегистрироваться");
  await submit(tab, "Зарегистрироваться");
  await problem(tab, "username", "имя");
  check("the server answers in the language of the page", true);
  await world.audit(tab, "register-russian");
  await tab.reload();
  await heading(tab, "Зарегистрироваться");
  check("the language is kept", (await tab.locator("html").getAttribute("lang")) === "ru");
  await tab.getByRole("combobox").selectOption("en");
  await submit(tab, "Create account", { username: "ada", email: "ada@example.org", password: PASSWORD });
  await heading(tab, "Profile");
  check("the form registers", new URL(tab.url()).pathname === "/");
}

async function verify(world, tab) {
  await tab.getByText("Not confirmed").waitFor();
  const link = await world.link("/verify-email", "ada@example.org");
  const falsify = (route) => route.continue({ postData: route.request().postData().replace("ada@example.org", "nonsense") });
  await tab.route(`${world.home}/graphql`, falsify, { times: 1 });
  await submit(tab, "Send the link again");
  await region(tab, "E-mail address").getByRole("alert").filter({ hasText: "address" }).waitFor();
  check("a problem of a field that the form does not have is shown below it", true);
  await submit(tab, "Send the link again");
  await tab.getByText("The mail is on its way.").waitFor();
  await tab.goto(world.app + link);
  await heading(tab, "Confirm your e-mail address");
  await world.audit(tab, "verify");
  await submit(tab, "Confirm address");
  await tab.getByText("ada@example.org is confirmed.").waitFor();
  await world.audit(tab, "verified");
  await tab.getByRole("link", { name: "Continue" }).click();
  await tab.getByText("Confirmed", { exact: true }).waitFor();
  check("the link in the mail verifies the address", true);
}

async function names(tab) {
  await submit(tab, "Save", { username: "taken" });
  await problem(tab, "username", "taken");
  await submit(tab, "Save", { username: "ada", firstName: "Ada", lastName: "Lovelace" });
  await tab.getByText("Saved.").waitFor();
  await tab.getByRole("banner").getByText("Ada Lovelace").waitFor();
  check("the profile changes everywhere on the page", (await tab.locator("[name=firstName]").inputValue()) === "Ada");
}

async function email(world, tab) {
  const change = (password) => submit(tab, "Change address", { newEmail: "ada@new.example", password });
  await change("not the password");
  await problem(tab, "password", "incorrect");
  await world.audit(tab, "profile-problem");
  await change(PASSWORD);
  await tab.getByText("Open the link that we sent to ada@new.example").waitFor();
  await world.audit(tab, "profile-pending");
  const cancelled = await world.link("/verify-email", "ada@new.example");
  await submit(tab, "Send again");
  await world.link("/verify-email", "ada@new.example");
  await submit(tab, "Cancel");
  await tab.getByText("Open the link").waitFor({ state: "detached" });
  check("a pending address can be mailed again and cancelled", true);
  check("the focus stays on the page when a form disappears", await tab.evaluate(() => document.activeElement.tagName === "H1"));

  await change(PASSWORD);
  const link = await world.link("/verify-email", "ada@new.example");
  await tab.goto(world.app + cancelled);
  await submit(tab, "Confirm address");
  await tab.getByRole("alert").filter({ hasText: "link" }).waitFor();
  await world.audit(tab, "verify-invalid");
  await tab.goto(world.app + link);
  await submit(tab, "Confirm address");
  await heading(tab, "Thank you");
  await tab.getByRole("link", { name: "Continue" }).click();
  await region(tab, "E-mail address").getByText("ada@new.example").waitFor();
  check("the link to the new address changes it, and a cancelled one does not", true);
}

async function password(world, tab) {
  await tab.getByRole("link", { name: "Security" }).click();
  await heading(tab, "Security");
  const phone = await world.device({ locale: "ru-RU", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" });
  const other = await world.open(phone);
  await submit(other, "Войти", { username: "ada@new.example", password: PASSWORD });
  await heading(other, "Профиль");
  await other.getByRole("link", { name: "Безопасность" }).click();
  await heading(other, "Безопасность");
  await tab.reload();
  const devices = region(tab, "Devices");
  const row = devices.getByRole("listitem").filter({ hasText: "Firefox on Linux" });
  await row.waitFor();
  await world.audit(tab, "security");
  await row.getByRole("button", { name: "Sign out" }).click();
  await row.waitFor({ state: "detached" });
  await other.getByText("Сеанс завершён. Войдите снова.").waitFor();
  await world.audit(other, "sign-in-revoked-russian");
  check("a session that is revoked on another device signs out there at once, and says so", true);

  await submit(other, "Войти", { username: "ada", password: PASSWORD });
  await heading(other, "Безопасность");
  check("signing in again shows the page that was open", true);
  await tab.reload();
  await submit(tab, "Sign out all other devices");
  await row.waitFor({ state: "detached" });
  await other.reload();
  await heading(other, "Войти");
  check("all other sessions can be revoked together", true);

  const change = (currentPassword) => submit(tab, "Change password", { currentPassword, newPassword: "another good password" });
  await change("not the password");
  await problem(tab, "currentPassword", "incorrect");
  await change(PASSWORD);
  await tab.getByText("Your password is changed.").waitFor();
  check("the password can be changed", (await tab.locator("[name=newPassword]").inputValue()) === "");
  await tab.getByRole("button", { name: "Sign out", exact: true }).click();
  await heading(tab, "Sign in");
  await submit(tab, "Sign in", { username: "ada", password: PASSWORD });
  await tab.getByRole("alert").filter({ hasText: "incorrect" }).waitFor();
  check("the old password is rejected", true);
}

async function reset(world, tab) {
  await tab.getByRole("link", { name: "Forgot your password?" }).click();
  await heading(tab, "Forgot your password?");
  await submit(tab, "Send link", { email: "ada@new.example" });
  await tab.getByText("a mail is on its way").waitFor();
  await world.audit(tab, "forgot-password");
  const link = await world.link("/reset-password", "ada@new.example");
  const signedIn = await world.signIn(await world.device(), "ada", "another good password");
  await signedIn.goto(world.app + link);
  await submit(signedIn, "Change password", { newPassword: "password123" });
  await problem(signedIn, "newPassword", "easy to guess");
  await world.audit(signedIn, "reset-password-problem");
  await submit(signedIn, "Change password", { newPassword: "yet another password" });
  await heading(signedIn, "Your password is changed");
  await world.audit(signedIn, "reset-password-done");
  await signedIn.getByRole("link", { name: "Sign in" }).click();
  await heading(signedIn, "Sign in");
  check("a reset signs out the browser that was signed in", true);
  await tab.goto(world.app);
  await submit(tab, "Sign in", { username: "ada", password: "yet another password" });
  await heading(tab, "Profile");
  check("the link in the mail resets the password", true);
}

async function remove(world, tab) {
  await submit(tab, "Delete account", { password: "not the password" });
  await problem(tab, "password", "incorrect");
  await submit(tab, "Delete account", { password: "yet another password" });
  await heading(tab, "Your account is deleted");
  await world.audit(tab, "account-deleted");
  await tab.getByRole("link", { name: "Back to sign-in" }).click();
  await submit(tab, "Sign in", { username: "ada", password: "yet another password" });
  await tab.getByRole("alert").filter({ hasText: "incorrect" }).waitFor();
  check("a deleted account cannot sign in", true);
}

/** An administrator invites an address, and the link in the mail creates an account. */
export async function invitation(world) {
  world.server.run(["user", "add", "administrator", "--role", "admin"], `${PASSWORD}\n`);
  const send = async (query, input, token) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${world.home}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables: { input } }) });
    return (await response.json()).data;
  };
  const login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
  const { accessToken } = (await send(login, { username: "administrator", password: PASSWORD, tokenDelivery: "BODY" })).login;
  const invite = "mutation($input: InviteUserInput!) { inviteUser(input: $input) { invitation { id } } }";
  await send(invite, { email: "linus@example.org" }, accessToken);
  const link = await world.link("/accept-invitation", "linus@example.org");

  const device = await world.device();
  const tab = await world.open(device, link);
  await heading(tab, "Create account");
  await submit(tab, "Create account", { username: "administrator", password: "password123", firstName: "Linus" });
  await problem(tab, "password", "easy to guess");
  await submit(tab, "Create account", { password: PASSWORD });
  await problem(tab, "username", "taken");
  await world.audit(tab, "accept-invitation-problem");
  await submit(tab, "Create account", { username: "linus" });
  await heading(tab, "Profile");
  await tab.getByText("Confirmed", { exact: true }).waitFor();
  check("the form of an invitation creates the account and signs in", (await tab.locator("[name=firstName]").inputValue()) === "Linus");
  check("the address of the next page has no token", !tab.url().includes("token"));
  await tab.reload();
  await heading(tab, "Profile");
  check("a reload keeps the invited user signed in", true);

  const other = await world.open(await world.device(), link);
  await submit(other, "Create account", { username: "second", password: PASSWORD });
  await other.getByRole("alert").filter({ hasText: "invitation" }).waitFor();
  check("a used invitation is reported below the form", true);
}

/** For a server that wants verified addresses, and whose registration is then closed. */
export async function verifiedAddresses(world) {
  const tab = await world.open(await world.device(), "/register");
  await submit(tab, "Create account", { username: "bo", password: PASSWORD });
  await problem(tab, "email", "Fill in this field.");
  await submit(tab, "Create account", { username: "bo", email: "bo@example.org", password: PASSWORD });
  await heading(tab, "Check your mail");
  await world.audit(tab, "check-mail");
  await tab.getByRole("link", { name: "Back to sign-in" }).click();
  await submit(tab, "Sign in", { username: "bo", password: PASSWORD });
  await tab.getByRole("link", { name: "Send the link again" }).click();
  await world.link("/verify-email", "bo@example.org");
  await submit(tab, "Send again", { email: "bo@example.org" });
  await tab.getByText("The mail is on its way.").waitFor();
  await tab.goto(world.app + (await world.link("/verify-email", "bo@example.org")));
  await submit(tab, "Confirm address");
  await tab.getByRole("link", { name: "Continue" }).click();
  await submit(tab, "Sign in", { username: "bo", password: PASSWORD });
  await heading(tab, "Profile");
  check("an account whose address must be verified first can sign in after that", true);
}
