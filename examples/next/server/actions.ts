"use server";

import { readErrors } from "@hallpass/client/errors";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { submit, type FormState } from "./errors";
import { closeSession, keepChallenge, openSession, publicRequest, readChallenge, request } from "./session";

export async function signIn(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["username", "password"], async (input) => {
    try {
      await openSession((client) => client.login(input));
    } catch (error) {
      const { mfa } = readErrors(error);
      if (!mfa) throw error;
      await keepChallenge(mfa);
      redirect("/sign-in/code");
    }
    redirect("/");
  });
}

/** The second step, for users who have an authenticator app. */
export async function enterCode(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["code"], async ({ code }) => {
    const token = await readChallenge();
    if (!token) redirect("/sign-in?notice=expired");
    // A code of the app has six digits, which some apps show in two groups. Recovery codes are longer.
    const factor = /^[\d\s]{6,8}$/.test(code.trim()) ? { totpCode: code } : { recoveryCode: code };
    try {
      await openSession((client) => client.verifyMfa({ token, factor }));
    } catch (error) {
      if (readErrors(error).code === "MFA_CHALLENGE_EXPIRED") redirect("/sign-in?notice=expired");
      throw error;
    }
    redirect("/");
  });
}

export async function register(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["username", "email", "password"], async ({ email, ...input }) => {
    const isSignedIn = await openSession((client) => client.register({ ...input, email: email || null }));
    redirect(isSignedIn ? "/" : "/sign-in?notice=verify");
  });
}

export async function signOut(): Promise<void> {
  await closeSession();
  redirect("/sign-in");
}

export async function updateProfile(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["username", "firstName", "lastName"], async ({ username, firstName, lastName }) => {
    const input = { username, firstName: firstName || null, lastName: lastName || null };
    await request("mutation UpdateProfile($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }", { input });
    return "Your profile is saved.";
  });
}

export async function changePassword(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["currentPassword", "newPassword"], async (input) => {
    await request("mutation ChangePassword($input: ChangePasswordInput!) { changePassword(input: $input) { user { id } } }", { input });
    return "Your password is changed. Your other sessions are signed out.";
  });
}

export async function revokeSession(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["sessionId"], async (input) => {
    await request("mutation RevokeSession($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId } }", { input });
    revalidatePath("/sessions");
    return "The session is signed out.";
  });
}

export async function revokeOtherSessions(): Promise<FormState> {
  return submit(new FormData(), [], async () => {
    await request("mutation RevokeOtherSessions { revokeOtherSessions { revokedSessions } }");
    revalidatePath("/sessions");
    return "All other sessions are signed out.";
  });
}

export async function sendVerificationEmail(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["email"], async (input) => {
    const send = "mutation Send($input: SendVerificationEmailInput!) { sendVerificationEmail(input: $input) { email } }";
    await request(send, { input });
    return "The mail is on its way. Open the link in it.";
  });
}

export async function verifyEmail(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["token"], async (input) => {
    const verify = "mutation VerifyEmail($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
    await publicRequest(verify, { input });
    redirect("/verify-email?result=done");
  });
}

export async function requestPasswordReset(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["email"], async (input) => {
    const ask = "mutation Ask($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
    await publicRequest(ask, { input });
    return "If an account has this address, a mail with a link is on its way to it.";
  });
}

export async function resetPassword(_: FormState, data: FormData): Promise<FormState> {
  return submit(data, ["token", "newPassword"], async (input) => {
    const reset = "mutation ResetPassword($input: ResetPasswordInput!) { resetPassword(input: $input) { revokedSessions } }";
    await publicRequest(reset, { input });
    redirect("/sign-in?notice=reset");
  });
}
