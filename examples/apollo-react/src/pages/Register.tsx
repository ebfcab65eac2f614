import { useHallpass } from "@hallpass/client/react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { Field, Form } from "../form";
import { passkeys } from "../hallpass";
import { useTexts } from "../language";
import { Card } from "../layout";
import { NewPasswordField, usePasskeysEnabled, useServerInfo, UsernameField } from "../serverInfo";

type Name = "username" | "email" | "password";

interface RegisterProps {
  /** Shows the recovery codes of an account without a password. */
  readonly onCodes: (codes: readonly string[]) => void;
}

export function Register({ onCodes }: RegisterProps) {
  const t = useTexts();
  const hallpass = useHallpass();
  const [, navigate] = useLocation();
  const isEmailRequired = useServerInfo()?.emailRequired;
  const hasPasskeys = usePasskeysEnabled();
  const [isPasswordless, setPasswordless] = useState(false);

  async function create({ username, email, password }: Record<Name, string>) {
    const user = { username, email: email || null };
    if (!isPasswordless) return hallpass.register({ ...user, password });
    const created = await passkeys.register(user);
    onCodes(created.recoveryCodes);
    return created;
  }

  async function send(values: Record<Name, string>) {
    const { accessToken } = await create(values);
    // Without a token, the address must be verified first.
    navigate(accessToken ? "/" : "/verify-email");
  }

  return (
    <Card title={t.register}>
      <Form<Name> submit={isPasswordless ? t.registerWithPasskey : t.register} send={send}>
        <UsernameField />
        <Field name="email" label={t.email} type="email" autoComplete="email" required={isEmailRequired} />
        {!isPasswordless && <NewPasswordField name="password" label={t.password} />}
      </Form>
      {hasPasskeys && (
        <button className="plain" onClick={() => setPasswordless(!isPasswordless)}>{isPasswordless ? t.withPassword : t.withoutPassword}</button>
      )}
      <footer><span>{t.haveAccount} <Link href="/">{t.signIn}</Link></span></footer>
    </Card>
  );
}
