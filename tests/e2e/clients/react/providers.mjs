// Sign-in with a provider and by mail, and linked accounts.

import { check } from "../checks.mjs";
import { codeOf } from "../totp.mjs";
import { heading, PASSWORD, region, submit } from "./browser.mjs";

const linked = (tab) => region(tab, "Linked accounts");
const count = (tab, operation) => tab.sent.filter((sent) => sent === operation).length;

async function signOut(tab) {
  await tab.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await heading(tab, "Sign in");
}

/** Presses a button that opens the provider, and chooses a link of its page. */
async function visit(tab, button, link) {
  await submit(tab, button);
  await tab.getByRole("link", { name: link }).click();
}

export async function providers(world) {
  const tab = await world.open(await world.device());
  await tab.getByRole("button", { name: "Sign in with Acme ID" }).waitFor();
  await world.audit(tab, "sign-in-provider");
  await visit(tab, "Sign in with Acme ID", "Cancel");
  await tab.getByRole("alert").filter({ hasText: "The sign-in was cancelled." }).waitFor();
  check("a sign-in that was cancelled at the provider is reported", tab.url() === `${world.app}/`, tab.url());
  await world.audit(tab, "sign-in-provider-cancelled");
  await visit(tab, "Sign in with Acme ID", "grace");
  await heading(tab, "Profile");
  check("a provider signs in, and the code leaves the address", tab.url() === `${world.app}/`, tab.url());
  check("the code is sent once", count(tab, "LoginWithCode") === 1, tab.sent);
  await signOut(tab);
  check("an error of the last sign-in does not come back", (await tab.getByRole("alert").filter({ hasText: /\w/ }).count()) === 0);
  await visit(tab, "Sign in with Acme ID", "grace");
  await heading(tab, "Profile");
  await withoutPassword(world, tab);
  await link(world, tab);
  await secondStep(world, tab);
}

async function withoutPassword(world, tab) {
  await tab.getByRole("link", { name: "Security" }).click();
  await linked(tab).getByText("grace@example.org").waitFor();
  await world.audit(tab, "identities");
  await linked(tab).getByRole("button", { name: "Unlink" }).click();
  await linked(tab).getByRole("alert").filter({ hasText: "only way to sign in" }).waitFor();
  check("the only way to sign in cannot be unlinked", true);
  await submit(tab, "Set a password", { newPassword: PASSWORD });
  await tab.getByRole("button", { name: "Change password" }).waitFor();
  await linked(tab).getByRole("button", { name: "Unlink" }).click();
  await linked(tab).getByText("grace@example.org").waitFor({ state: "detached" });
  check("with a password, the account can be unlinked", true);
}

async function link(world, tab) {
  await visit(tab, "Link Acme ID", "grace");
  await heading(tab, "Security");
  await linked(tab).getByText("grace@example.org").waitFor();
  check("an account can be linked again", tab.url() === `${world.app}/security`, tab.url());
  const other = await world.register(await world.device(), "frank");
  await other.getByRole("link", { name: "Security" }).click();
  await visit(other, "Link Acme ID", "grace");
  await linked(other).getByRole("alert").filter({ hasText: "linked to another user" }).waitFor();
  check("an account that another user has linked is refused", true);
  await world.audit(other, "identity-taken");
}

async function secondStep(world, tab) {
  const secret = await tab.evaluate(async () => (await window.hallpass.request("mutation { started: startTotpEnrollment { secret } }")).started.secret);
  const confirm = "mutation($input: ConfirmTotpEnrollmentInput!) { confirmed: confirmTotpEnrollment(input: $input) { recoveryCodes } }";
  const [code] = await tab.evaluate(
    async ([confirm, code]) => (await window.hallpass.request(confirm, { input: { code } })).confirmed.recoveryCodes,
    [confirm, codeOf(secret)],
  );
  await signOut(tab);
  await visit(tab, "Sign in with Acme ID", "grace");
  await heading(tab, "Enter the code");
  await submit(tab, "Sign in", { code });
  await heading(tab, "Security");
  check("after the provider, the second factor is asked for", true);
}

export async function signInByMail(world) {
  const device = await world.device();
  const tab = await world.register(device, "mary");
  await signOut(tab);
  await tab.getByRole("button", { name: "Sign in by mail" }).click();
  await heading(tab, "Sign in by mail");
  await world.audit(tab, "sign-in-mail");
  await submit(tab, "Send mail", { email: "nonsense" });
  await tab.getByText("Enter an e-mail address").waitFor();
  await submit(tab, "Send mail", { email: "mary@example.org" });
  const { code } = await mailTo(world, "mary@example.org");
  await tab.getByText("a mail is on its way").waitFor();
  await world.audit(tab, "sign-in-mail-code");
  await tab.reload();
  await heading(tab, "Sign in by mail");
  await submit(tab, "Sign in", { code: String((Number(code) + 1) % 1e8).padStart(8, "0") });
  await tab.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  await submit(tab, "Sign in", { code });
  await heading(tab, "Profile");
  check("the code of a mail signs in, after a reload and a mistake", true);

  await signOut(tab);
  await tab.getByRole("button", { name: "Sign in by mail" }).click();
  await submit(tab, "Send mail", { email: "mary@example.org" });
  const { link } = await mailTo(world, "mary@example.org");
  const stranger = await world.open(await world.device(), link);
  await stranger.getByRole("alert").filter({ hasText: "began in another browser" }).waitFor();
  check("a link in another browser says where to enter the code", new URL(stranger.url()).search === "", stranger.url());
  check("and its token is not sent", count(stranger, "LoginWithEmail") === 0, stranger.sent);
  await world.audit(stranger, "sign-in-mail-elsewhere");
  const other = await world.open(device, link);
  await heading(other, "Profile");
  check("the link of a mail signs in, and the token leaves the address", other.url() === `${world.app}/`, other.url());
  await heading(tab, "Profile");
  check("the tab that asked for the mail is signed in too", true);
}

/** The next mail of a sign-in to an address. Each is returned once. */
async function mailTo(world, to) {
  const link = await world.link("/sign-in", to);
  const page = await (await fetch(world.home + world.server.mails)).text();
  const mail = page.replaceAll("&#x2f;", "/").split("<article").find((mail) => mail.includes(link));
  return { link, code: mail.match(/\b(\d{4}) ?(\d{4})\b/).slice(1).join("") };
}
