import { useMutation, useQuery } from "@apollo/client/react";
import type { ComponentProps } from "react";
import { Alert, Checkbox, CurrentPasswordField, Form } from "../form";
import { graphql } from "../gql";
import { useLanguage, useTexts } from "../language";
import { Heading, Section } from "../layout";
import { useHasPassword } from "../secondFactor";
import { NewPasswordField } from "../serverInfo";
import { Identities } from "./Identities";
import { Passkeys } from "./Passkeys";
import { AuthenticatorApp, Fallbacks } from "./SecondFactor";

const SESSIONS = graphql(`
  query Sessions {
    me { id sessions { id isCurrent device ipAddress lastUsedAt } }
  }
`);

// Mutations return the sessions that are left, so Apollo Client updates the list by itself.
const CHANGE_PASSWORD = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) { user { id sessions { id } } }
  }
`);

const REVOKE_SESSION = graphql(`
  mutation RevokeSession($input: RevokeSessionInput!) {
    revokeSession(input: $input) { user { id sessions { id } } }
  }
`);

const REVOKE_OTHER_SESSIONS = graphql(`
  mutation RevokeOtherSessions {
    revokeOtherSessions { user { id sessions { id } } }
  }
`);

const SET_PASSWORD = graphql(`
  mutation SetPassword($input: SetPasswordInput!) {
    setPassword(input: $input) { user { id hasPassword } }
  }
`);

export function Security({ returned }: ComponentProps<typeof Identities>) {
  const t = useTexts();
  return (
    <>
      <Heading title={t.security} />
      <Password />
      <Passkeys />
      <Identities returned={returned} />
      <AuthenticatorApp />
      <Fallbacks />
      <Sessions />
    </>
  );
}

/** Users who registered with a passkey or a provider have no password. */
function Password() {
  return useHasPassword() ? <ChangePassword /> : <SetPassword />;
}

function SetPassword() {
  const t = useTexts();
  const [setPassword] = useMutation(SET_PASSWORD);

  async function send({ newPassword }: { newPassword: string }) {
    await setPassword({ variables: { input: { newPassword } } });
  }

  return (
    <Section title={t.password} text={t.noPassword}>
      <Form<"newPassword"> submit={t.setFirstPassword} send={send}>
        <NewPasswordField name="newPassword" label={t.newPassword} />
      </Form>
    </Section>
  );
}

function ChangePassword() {
  const t = useTexts();
  const [changePassword] = useMutation(CHANGE_PASSWORD);

  async function send({ currentPassword, newPassword, keep }: Record<"currentPassword" | "newPassword" | "keep", string>) {
    await changePassword({ variables: { input: { currentPassword, newPassword, keepOtherSessions: keep === "on" } } });
    return t.passwordChanged;
  }

  return (
    <Section title={t.password}>
      <Form<"currentPassword" | "newPassword" | "keep"> submit={t.setPassword} send={send}>
        <CurrentPasswordField name="currentPassword" />
        <NewPasswordField name="newPassword" label={t.newPassword} />
        <Checkbox name="keep" label={t.keepSessions} />
      </Form>
    </Section>
  );
}

function Sessions() {
  const t = useTexts();
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium", timeStyle: "short" });
  const { data, error, refetch } = useQuery(SESSIONS, { fetchPolicy: "cache-and-network" });
  const [revokeSession] = useMutation(REVOKE_SESSION);
  const [revokeOtherSessions] = useMutation(REVOKE_OTHER_SESSIONS);
  const sessions = data?.me?.sessions ?? [];

  async function revoke(sessionId: string) {
    await revokeSession({ variables: { input: { sessionId } } });
  }

  async function revokeOthers() {
    await revokeOtherSessions();
  }

  return (
    <Section title={t.sessions} text={t.sessionsText}>
      <Alert error={error} />
      {error && <button className="plain" onClick={() => refetch()}>{t.retry}</button>}
      <ul className="sessions">
        {sessions.map(({ id, isCurrent, device, ipAddress, lastUsedAt }) => (
          <li key={id}>
            <div>
              <strong>{device}</strong> {isCurrent && <span className="badge">{t.thisDevice}</span>}
              <p className="hint">{[ipAddress, t.lastUsed(format.format(new Date(lastUsedAt)))].filter(Boolean).join(" · ")}</p>
            </div>
            {!isCurrent && <Form submit={t.revoke} look="plain" send={() => revoke(id)} />}
          </li>
        ))}
      </ul>
      {sessions.length > 1 && <Form submit={t.revokeOthers} look="plain" send={revokeOthers} />}
    </Section>
  );
}
