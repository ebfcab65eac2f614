import { readErrors, type MfaChallenge } from "@hallpass/client/errors";
import { useHallpass, usePasskeyAutofill, useSession } from "@hallpass/client/react";
import { useState } from "react";
import { Link } from "wouter";
import { Alert, Checkbox, Field, Form, PasswordField } from "../form";
import { passkeys } from "../hallpass";
import { useTexts } from "../language";
import { Card } from "../layout";
import { Factors, toFactor } from "../secondFactor";
import { usePasskeysEnabled, useServerInfo } from "../serverInfo";

export function SignIn() {
  const [challenge, setChallenge] = useState<MfaChallenge | null>(null);
  const [expired, setExpired] = useState<unknown>(null);

  function startAgain(error: unknown) {
    setChallenge(null);
    setExpired(error);
  }

  if (challenge) return <SecondStep challenge={challenge} onStartAgain={startAgain} />;
  return <FirstStep expired={expired} onChallenge={setChallenge} />;
}

interface FirstStepProps {
  /** The error of a second step that must start again. */
  readonly expired: unknown;
  readonly onChallenge: (challenge: MfaChallenge) => void;
}

function FirstStep({ expired, onChallenge }: FirstStepProps) {
  const t = useTexts();
  const hallpass = useHallpass();
  const { reason } = useSession();
  const info = useServerInfo();
  const [isUnverified, setUnverified] = useState(false);
  const [seen, setSeen] = useState<unknown>(null);
  const hasPasskeys = usePasskeysEnabled();
  // The browser offers passkeys in the field for the username.
  const refused = usePasskeyAutofill(passkeys);
  const earlier = refused ?? expired;

  async function send(signIn: () => Promise<unknown>) {
    setSeen(earlier);
    try {
      await signIn();
    } catch (error) {
      const { code, mfa } = readErrors(error);
      if (mfa) return onChallenge(mfa);
      setUnverified(code === "EMAIL_NOT_VERIFIED");
      throw error;
    }
  }

  return (
    <Card title={t.signIn}>
      {reason && reason !== "SIGNED_OUT" && <p className="notice">{reason === "SESSION_NOT_FOUND" ? t.cookieMissing : t.sessionEnded}</p>}
      <Alert error={earlier === seen ? null : earlier} />
      <Form<"username" | "password"> submit={t.signIn} send={(input) => send(() => hallpass.login(input))}>
        <Field name="username" label={t.usernameOrEmail} autoComplete="username webauthn" autoCapitalize="none" spellCheck={false} required />
        <PasswordField name="password" label={t.password} autoComplete="current-password" />
      </Form>
      {hasPasskeys && <Form submit={t.signInWithPasskey} look="plain" send={() => send(() => passkeys.signIn())} />}
      <footer>
        {isUnverified && <Link href="/verify-email">{t.sendAgain}</Link>}
        {info?.mailEnabled !== false && <Link href="/forgot-password">{t.forgot}</Link>}
        {info?.registrationEnabled !== false && <span>{t.noAccount} <Link href="/register">{t.register}</Link></span>}
      </footer>
    </Card>
  );
}

interface SecondStepProps {
  readonly challenge: MfaChallenge;
  readonly onStartAgain: (error: unknown) => void;
}

function SecondStep({ challenge, onStartAgain }: SecondStepProps) {
  const t = useTexts();
  const hallpass = useHallpass();

  async function send(verify: () => Promise<unknown>) {
    try {
      await verify();
    } catch (error) {
      if (readErrors(error).code === "MFA_CHALLENGE_EXPIRED") return onStartAgain(error);
      throw error;
    }
  }

  return (
    <Card title={challenge.methods.includes("PASSKEY") ? t.confirm : t.enterCode}>
      <Factors
        methods={challenge.methods}
        submit={t.signIn}
        sendPasskey={() => send(() => passkeys.verifyMfa(challenge))}
        sendCode={({ code, remember }) => send(() => hallpass.verifyMfa({ token: challenge.token, factor: toFactor(code), rememberDevice: remember === "on" }))}
      >
        <Checkbox name="remember" label={t.remember} />
      </Factors>
      <footer><button className="plain" onClick={() => onStartAgain(null)}>{t.back}</button></footer>
    </Card>
  );
}
