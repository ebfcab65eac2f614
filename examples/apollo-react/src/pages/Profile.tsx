import { useMutation } from "@apollo/client/react";
import { useUser } from "@hallpass/client/react";
import { useLocation } from "wouter";
import { CurrentPasswordField, Field, Form } from "../form";
import { graphql } from "../gql";
import { useTexts } from "../language";
import { Heading, Section } from "../layout";
import { useHasPassword } from "../secondFactor";
import { UsernameField, useServerInfo } from "../serverInfo";
import { useSendVerificationEmail } from "./VerifyEmail";

const UPDATE_PROFILE = graphql(`
  mutation UpdateProfile($input: UpdateProfileInput!) {
    updateProfile(input: $input) { user { id username firstName lastName fullName } }
  }
`);

const CHANGE_EMAIL = graphql(`
  mutation ChangeEmail($input: ChangeEmailInput!) {
    changeEmail(input: $input) { user { id pendingEmail } }
  }
`);

const CANCEL_EMAIL_CHANGE = graphql(`
  mutation CancelEmailChange {
    cancelEmailChange { user { id pendingEmail } }
  }
`);

const DELETE_ACCOUNT = graphql(`
  mutation DeleteAccount($input: DeleteAccountInput!) {
    deleteAccount(input: $input) { deletedUserId }
  }
`);

export function Profile() {
  const t = useTexts();
  return (
    <>
      <Heading title={t.profile} />
      <Names />
      <Email />
      <DeleteAccount />
    </>
  );
}

function Names() {
  const t = useTexts();
  // Hallpass updates the user from the data of each mutation.
  const user = useUser();
  const [updateProfile] = useMutation(UPDATE_PROFILE);

  async function send({ username, firstName, lastName }: Record<"username" | "firstName" | "lastName", string>) {
    await updateProfile({ variables: { input: { username, firstName: firstName || null, lastName: lastName || null } } });
    return t.saved;
  }

  return (
    <Section title={t.names} text={t.profileText}>
      <Form<"username" | "firstName" | "lastName"> submit={t.save} send={send}>
        <UsernameField value={user?.username} />
        <Field name="firstName" label={t.firstName} defaultValue={user?.firstName ?? ""} autoComplete="given-name" />
        <Field name="lastName" label={t.lastName} defaultValue={user?.lastName ?? ""} autoComplete="family-name" />
      </Form>
    </Section>
  );
}

function Email() {
  const t = useTexts();
  const { email, emailVerified, pendingEmail } = useUser() ?? {};
  const info = useServerInfo();
  const hasPassword = useHasPassword();
  const resend = useSendVerificationEmail();
  const [changeEmail] = useMutation(CHANGE_EMAIL);
  const [cancelEmailChange] = useMutation(CANCEL_EMAIL_CHANGE);

  async function send({ newEmail, password }: { newEmail: string; password?: string }) {
    // Without a password, a recent sign-in is the proof.
    await changeEmail({ variables: { input: { newEmail, password } } });
  }

  async function cancel() {
    await cancelEmailChange();
  }

  return (
    <Section title={t.email}>
      <p>
        {email ?? t.emailNone} {email && emailVerified && <span className="badge">{t.emailVerified}</span>}
        {email && !emailVerified && <span className="badge warning">{t.emailUnverified}</span>}
      </p>
      {pendingEmail && (
        <div className="notice">
          <p role="status">{t.emailPending(pendingEmail)}</p>
          <div className="buttons">
            <Form submit={t.resend} look="plain" send={() => resend({ email: pendingEmail })} />
            <Form submit={t.cancel} look="plain" send={cancel} />
          </div>
        </div>
      )}
      {email && !emailVerified && !pendingEmail && <Form submit={t.sendAgain} look="plain" send={() => resend({ email })} />}
      {info?.mailEnabled === false && <p className="hint">{t.mailDisabled}</p>}
      {info?.mailEnabled && !pendingEmail && (
        <Form<"newEmail" | "password"> submit={email ? t.changeEmail : t.addEmail} send={send}>
          <Field name="newEmail" label={t.newEmail} type="email" autoComplete="email" required />
          {hasPassword && <CurrentPasswordField name="password" />}
        </Form>
      )}
    </Section>
  );
}

function DeleteAccount() {
  const t = useTexts();
  const [, navigate] = useLocation();
  const hasPassword = useHasPassword();
  const [deleteAccount] = useMutation(DELETE_ACCOUNT);

  async function send({ password }: { password?: string }) {
    // Signs out, because Hallpass sees the id of the user in the response.
    await deleteAccount({ variables: { input: { password } } });
    navigate("/account-deleted", { replace: true });
  }

  return (
    <Section title={t.deleteAccount} text={t.deleteText}>
      <Form<"password"> submit={t.deleteAccount} look="danger" send={send}>
        {hasPassword && <CurrentPasswordField name="password" />}
      </Form>
    </Section>
  );
}
