// The second factor in forms: the field for a code, the button for a passkey, and the proof of identity that sensitive operations need.

import { useMutation, useQuery } from "@apollo/client/react";
import { useHallpass } from "@hallpass/client/react";
import type { ComponentProps, ReactNode } from "react";
import { CurrentPasswordField, Field, Form } from "./form";
import { graphql } from "./gql";
import type { MfaMethod, ReauthenticateInput } from "./gql/graphql";
import { passkeys } from "./hallpass";
import { useTexts } from "./language";

// Users whose role requires a second factor can read these fields before they have one.
export const SECOND_FACTOR = graphql(`
  query SecondFactor {
    me { id mfaMethods }
  }
`);

const PASSWORD = graphql(`
  query Password {
    me { id hasPassword }
  }
`);

const REAUTHENTICATE = graphql(`
  mutation Reauthenticate($input: ReauthenticateInput!) {
    reauthenticate(input: $input) {
      accessToken
      expiresIn
      refreshToken
      user { id username email emailVerified pendingEmail firstName lastName fullName roles }
    }
  }
`);

/** Whether the user has a password. True until it is known. */
export function useHasPassword(): boolean {
  return useQuery(PASSWORD).data?.me?.hasPassword !== false;
}

/** A code of the app has six digits, which some apps show in two groups. Recovery codes are longer. */
export function toFactor(code: string) {
  return /^[\d\s]{6,8}$/.test(code.trim()) ? { totpCode: code } : { recoveryCode: code };
}

/** The field `code`. */
export function CodeField(props: { readonly label: string; readonly hint?: string } & Pick<ComponentProps<"input">, "inputMode" | "autoFocus">) {
  return <Field name="code" autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} required {...props} />;
}

interface FactorsProps {
  readonly methods: readonly MfaMethod[];
  readonly submit: string;
  readonly sendPasskey: () => Promise<void>;
  readonly sendCode: (values: Record<"code" | "remember", string>) => Promise<void>;
  readonly children?: ReactNode;
}

/** Asks for one of the second factors of the user. `children` are further fields of the form for codes. */
export function Factors({ methods, submit, sendPasskey, sendCode, children }: FactorsProps) {
  const t = useTexts();
  const hasPasskey = methods.includes("PASSKEY");
  return (
    <div className="factors">
      {hasPasskey && <Form submit={t.usePasskey} send={sendPasskey} />}
      {hasPasskey && methods.length > 1 && <p className="hint">{t.orCode}</p>}
      {methods.some((method) => method !== "PASSKEY") && (
        <Form<"code" | "remember"> submit={submit} look={hasPasskey ? "plain" : "primary"} send={sendCode}>
          <CodeField label={t.code} hint={methods.includes("TOTP") ? t.codeHint : t.recoveryCodeHint} autoFocus={!hasPasskey} />
          {children}
        </Form>
      )}
    </div>
  );
}

/** Asks for a second factor, or for the password if the user has none. Without either, the user must sign in again. */
export function Reauthenticate({ onDone }: { readonly onDone: () => void }) {
  const t = useTexts();
  const hallpass = useHallpass();
  const { data } = useQuery(SECOND_FACTOR);
  const [reauthenticate] = useMutation(REAUTHENTICATE, { fetchPolicy: "no-cache" });
  const methods = data?.me?.mfaMethods;
  const hasPassword = useHasPassword();

  async function send(input: ReauthenticateInput) {
    const { data } = await reauthenticate({ variables: { input } });
    if (data?.reauthenticate) await hallpass.accept(data.reauthenticate);
    onDone();
  }

  async function sendPasskey() {
    await passkeys.reauthenticate();
    onDone();
  }

  if (!methods) return null;
  if (methods.length > 0) return <Factors methods={methods} submit={t.confirm} sendPasskey={sendPasskey} sendCode={({ code }) => send(toFactor(code))} />;
  if (!hasPassword) return <p className="hint">{t.signInAgain}</p>;
  return (
    <Form<"password"> submit={t.confirm} send={send}>
      <CurrentPasswordField name="password" />
    </Form>
  );
}
