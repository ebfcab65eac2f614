// The second factor in forms: the field for a code, and the proof of identity that sensitive operations need.

import { useMutation, useQuery } from "@apollo/client/react";
import { useHallpass } from "@hallpass/client/react";
import type { ComponentProps } from "react";
import { CurrentPasswordField, Field, Form } from "./form";
import { graphql } from "./gql";
import { useTexts } from "./language";

// Users whose role requires a second factor can read these fields before they have one.
export const SECOND_FACTOR = graphql(`
  query SecondFactor {
    me { id mfaMethods }
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

/** A code of the app has six digits, which some apps show in two groups. Recovery codes are longer. */
export function toFactor(code: string) {
  return /^[\d\s]{6,8}$/.test(code.trim()) ? { totpCode: code } : { recoveryCode: code };
}

/** The field `code`. */
export function CodeField(props: { readonly label: string; readonly hint?: string } & Pick<ComponentProps<"input">, "inputMode" | "autoFocus">) {
  return <Field name="code" autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} required {...props} />;
}

/** Asks for a code, or for the password if the user has no second factor. */
export function Reauthenticate({ onDone }: { readonly onDone: () => void }) {
  const t = useTexts();
  const hallpass = useHallpass();
  const { data } = useQuery(SECOND_FACTOR);
  const [reauthenticate] = useMutation(REAUTHENTICATE, { fetchPolicy: "no-cache" });
  const methods = data?.me?.mfaMethods;

  async function send({ code, password }: Partial<Record<"code" | "password", string>>) {
    const input = code === undefined ? { password: password ?? "" } : toFactor(code);
    const { data } = await reauthenticate({ variables: { input } });
    if (data?.reauthenticate) await hallpass.accept(data.reauthenticate);
    onDone();
  }

  if (!methods) return null;
  return (
    <Form<"code" | "password"> submit={t.confirm} send={send}>
      {methods.length > 0 ? <CodeField label={t.code} hint={t.codeHint} autoFocus /> : <CurrentPasswordField name="password" />}
    </Form>
  );
}
