import { useMutation } from "@apollo/client/react";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { Field, Form } from "../form";
import { graphql } from "../gql";
import { useTexts } from "../language";
import { Card, Done } from "../layout";

const VERIFY_EMAIL = graphql(`
  mutation VerifyEmail($input: VerifyEmailInput!) {
    verifyEmail(input: $input) { email user { id email emailVerified pendingEmail } }
  }
`);

const SEND_VERIFICATION_EMAIL = graphql(`
  mutation SendVerificationEmail($input: SendVerificationEmailInput!) {
    sendVerificationEmail(input: $input) { email }
  }
`);

export function useSendVerificationEmail() {
  const t = useTexts();
  const [sendVerificationEmail] = useMutation(SEND_VERIFICATION_EMAIL);
  return async ({ email }: { email: string }) => {
    await sendVerificationEmail({ variables: { input: { email } } });
    return t.mailSent;
  };
}

/** The page for `APP_URL/verify-email?token=…`, the link in the mail. Without a token, it sends the mail again. */
export function VerifyEmail() {
  const token = useSearchParams()[0].get("token");
  return token ? <Verify token={token} /> : <CheckMail />;
}

function Verify({ token }: { readonly token: string }) {
  const t = useTexts();
  const [email, setEmail] = useState<string>();
  const [verifyEmail] = useMutation(VERIFY_EMAIL);

  async function send() {
    const { data } = await verifyEmail({ variables: { input: { token } } });
    setEmail(data?.verifyEmail?.email);
  }

  if (email) return <Done title={t.verified} text={t.verifiedText(email)} link={t.next} />;
  return (
    <Card title={t.verifyTitle}>
      {/* A button, because mail programs open links by themselves. */}
      <p>{t.verifyText}</p>
      <Form submit={t.verify} send={send} />
      <footer><Link href="/verify-email">{t.newLink}</Link></footer>
    </Card>
  );
}

function CheckMail() {
  const t = useTexts();
  return (
    <Card title={t.checkMail}>
      <p>{t.checkMailText}</p>
      <Form<"email"> submit={t.resend} send={useSendVerificationEmail()}>
        <Field name="email" label={t.email} type="email" autoComplete="email" required />
      </Form>
      <footer><Link href="/">{t.back}</Link></footer>
    </Card>
  );
}
