import { useMutation } from "@apollo/client/react";
import { useHallpass, useUser } from "@hallpass/client/react";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { Form } from "../form";
import { graphql } from "../gql";
import { useTexts } from "../language";
import { Card, Done } from "../layout";
import { NewPasswordField } from "../serverInfo";

const RESET_PASSWORD = graphql(`
  mutation ResetPassword($input: ResetPasswordInput!) {
    resetPassword(input: $input) { revokedSessions }
  }
`);

/** The page for `APP_URL/reset-password?token=…`, the link in the mail. */
export function ResetPassword() {
  const t = useTexts();
  const hallpass = useHallpass();
  const user = useUser();
  const token = useSearchParams()[0].get("token") ?? "";
  const [isDone, setDone] = useState(false);
  const [resetPassword] = useMutation(RESET_PASSWORD, { context: { isPublic: true } });

  async function send({ newPassword }: { newPassword: string }) {
    await resetPassword({ variables: { input: { token, newPassword } } });
    setDone(true);
    // The server has ended all sessions of the account, which may be the one that is signed in here.
    if (user) await hallpass.refresh();
  }

  if (isDone) return <Done title={t.resetDone} text={t.resetDoneText} link={t.signIn} />;
  return (
    <Card title={t.resetTitle}>
      <p>{t.resetText}</p>
      <Form<"newPassword"> submit={t.setPassword} send={send}>
        <NewPasswordField name="newPassword" label={t.newPassword} />
      </Form>
      <footer><Link href="/forgot-password">{t.newLink}</Link></footer>
    </Card>
  );
}
