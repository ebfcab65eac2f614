import { useMutation } from "@apollo/client/react";
import { Link } from "wouter";
import { Field, Form } from "../form";
import { graphql } from "../gql";
import { useTexts } from "../language";
import { Card } from "../layout";

const REQUEST_PASSWORD_RESET = graphql(`
  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { email }
  }
`);

export function ForgotPassword() {
  const t = useTexts();
  const [requestPasswordReset] = useMutation(REQUEST_PASSWORD_RESET);

  async function send({ email }: { email: string }) {
    await requestPasswordReset({ variables: { input: { email } } });
    return t.linkSent(email);
  }

  return (
    <Card title={t.forgotTitle}>
      <p>{t.forgotText}</p>
      <Form<"email"> submit={t.sendLink} send={send}>
        <Field name="email" label={t.email} type="email" autoComplete="email" required />
      </Form>
      <footer><Link href="/">{t.back}</Link></footer>
    </Card>
  );
}
