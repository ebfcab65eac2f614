import { useHallpass } from "@hallpass/client/react";
import { Link, useLocation } from "wouter";
import { Field, Form } from "../form";
import { useTexts } from "../language";
import { Card } from "../layout";
import { NewPasswordField, useServerInfo, UsernameField } from "../serverInfo";

export function Register() {
  const t = useTexts();
  const hallpass = useHallpass();
  const [, navigate] = useLocation();
  const isEmailRequired = useServerInfo()?.emailRequired;

  async function send({ email, ...input }: Record<"username" | "email" | "password", string>) {
    const { accessToken } = await hallpass.register({ ...input, email: email || null });
    // Without a token, the address must be verified first.
    navigate(accessToken ? "/" : "/verify-email");
  }

  return (
    <Card title={t.register}>
      <Form<"username" | "email" | "password"> submit={t.register} send={send}>
        <UsernameField />
        <Field name="email" label={t.email} type="email" autoComplete="email" required={isEmailRequired} />
        <NewPasswordField name="password" label={t.password} />
      </Form>
      <footer><span>{t.haveAccount} <Link href="/">{t.signIn}</Link></span></footer>
    </Card>
  );
}
