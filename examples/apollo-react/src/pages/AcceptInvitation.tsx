import { useMutation } from "@apollo/client/react";
import { useHallpass } from "@hallpass/client/react";
import { Link, useLocation, useSearchParams } from "wouter";
import { Field, Form } from "../form";
import { graphql } from "../gql";
import { useTexts } from "../language";
import { Card } from "../layout";
import { NewPasswordField, UsernameField } from "../serverInfo";

const ACCEPT_INVITATION = graphql(`
  mutation AcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) { user { id } }
  }
`);

type Name = "username" | "password" | "firstName" | "lastName";

/** The page for `APP_URL/accept-invitation?token=…`, the link in the mail. */
export function AcceptInvitation() {
  const t = useTexts();
  const hallpass = useHallpass();
  const [, navigate] = useLocation();
  const token = useSearchParams()[0].get("token") ?? "";
  const [acceptInvitation] = useMutation(ACCEPT_INVITATION, { context: { isPublic: true } });

  async function send({ firstName, lastName, ...values }: Record<Name, string>) {
    await acceptInvitation({ variables: { input: { token, ...values, firstName: firstName || null, lastName: lastName || null } } });
    // The response has set the refresh cookie of the new session.
    await hallpass.refresh();
    navigate("/", { replace: true });
  }

  return (
    <Card title={t.register}>
      <p>{t.invitedText}</p>
      <Form<Name> submit={t.register} send={send}>
        <UsernameField />
        <NewPasswordField name="password" label={t.password} />
        <Field name="firstName" label={t.firstName} autoComplete="given-name" />
        <Field name="lastName" label={t.lastName} autoComplete="family-name" />
      </Form>
      <footer><span>{t.haveAccount} <Link href="/">{t.signIn}</Link></span></footer>
    </Card>
  );
}
