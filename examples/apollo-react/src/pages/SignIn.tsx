import { readErrors, type MfaChallenge } from "@hallpass/client/errors";
import { useHallpass, useSession } from "@hallpass/client/react";
import { useState } from "react";
import { Link } from "wouter";
import { Alert, Checkbox, Field, Form, PasswordField } from "../form";
import { useTexts } from "../language";
import { Card } from "../layout";
import { CodeField, toFactor } from "../secondFactor";
import { useServerInfo } from "../serverInfo";

export function SignIn() {
  const t = useTexts();
  const hallpass = useHallpass();
  const { reason } = useSession();
  const info = useServerInfo();
  const [isUnverified, setUnverified] = useState(false);
  const [challenge, setChallenge] = useState<MfaChallenge | null>(null);
  const [expired, setExpired] = useState<unknown>(null);

  async function send(input: { username: string; password: string }) {
    setExpired(null);
    try {
      await hallpass.login(input);
    } catch (error) {
      const { code, mfa } = readErrors(error);
      if (mfa) return setChallenge(mfa);
      setUnverified(code === "EMAIL_NOT_VERIFIED");
      throw error;
    }
  }

  function startAgain(error: unknown) {
    setChallenge(null);
    setExpired(error);
  }

  if (challenge) return <EnterCode challenge={challenge} onStartAgain={startAgain} />;
  return (
    <Card title={t.signIn}>
      {reason && reason !== "SIGNED_OUT" && <p className="notice">{reason === "SESSION_NOT_FOUND" ? t.cookieMissing : t.sessionEnded}</p>}
      <Alert error={expired} />
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

/** The second step of a sign-in. */
function EnterCode({ challenge, onStartAgain }: { readonly challenge: MfaChallenge; readonly onStartAgain: (error: unknown) => void }) {
  const t = useTexts();
  const hallpass = useHallpass();

  async function send({ code, remember }: Record<"code" | "remember", string>) {
    try {
      await hallpass.verifyMfa({ token: challenge.token, factor: toFactor(code), rememberDevice: remember === "on" });
    } catch (error) {
      if (readErrors(error).code === "MFA_CHALLENGE_EXPIRED") return onStartAgain(error);
      throw error;
    }
  }

  return (
    <Card title={t.enterCode}>
      <Form<"code" | "remember"> submit={t.signIn} send={send}>
        <CodeField label={t.code} hint={t.codeHint} autoFocus />
        <Checkbox name="remember" label={t.remember} />
      </Form>
      <footer><button className="plain" onClick={() => onStartAgain(null)}>{t.back}</button></footer>
    </Card>
  );
}
