import { readErrors } from "@hallpass/client/errors";
import { useHallpass, useSession } from "@hallpass/client/react";
import { useState } from "react";
import { Link } from "wouter";
import { Field, Form, PasswordField } from "../form";
import { useTexts } from "../language";
import { Card } from "../layout";
import { useServerInfo } from "../serverInfo";

export function SignIn() {
  const t = useTexts();
  const hallpass = useHallpass();
  const { reason } = useSession();
  const info = useServerInfo();
  const [isUnverified, setUnverified] = useState(false);

  async function send(input: { username: string; password: string }) {
    try {
      await hallpass.login(input);
    } catch (error) {
      setUnverified(readErrors(error).code === "EMAIL_NOT_VERIFIED");
      throw error;
    }
  }

  return (
    <Card title={t.signIn}>
      {reason && reason !== "SIGNED_OUT" && <p className="notice">{reason === "SESSION_NOT_FOUND" ? t.cookieMissing : t.sessionEnded}</p>}
      <Form<"username" | "password"> submit={t.signIn} send={send}>
        <Field name="username" label={t.usernameOrEmail} autoComplete="username" autoCapitalize="none" spellCheck={false} required />
        <PasswordField name="password" label={t.password} autoComplete="current-password" />
      </Form>
      <footer>
        {isUnverified && <Link href="/verify-email">{t.sendAgain}</Link>}
        {info?.mailEnabled !== false && <Link href="/forgot-password">{t.forgot}</Link>}
        {info?.registrationEnabled !== false && <span>{t.noAccount} <Link href="/register">{t.register}</Link></span>}
      </footer>
    </Card>
  );
}
