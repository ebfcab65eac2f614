import { readErrors, type MfaChallenge } from "@hallpass/client/errors";
import { useFinish, useHallpass, usePasskeyAutofill, useSession } from "@hallpass/client/react";
import { useState } from "react";
import { Link } from "wouter";
import { Alert, Checkbox, Field, Form, PasswordField } from "../form";
import { emailSignIn, passkeys, providers } from "../hallpass";
import { useTexts } from "../language";
import { Card } from "../layout";
import { CodeField, Factors, toFactor } from "../secondFactor";
import { usePasskeysEnabled, useServerInfo } from "../serverInfo";

/** Also the page that a provider returns to, and that of `APP_URL/sign-in?token=…`, the link in the mail. */
export function SignIn() {
  const t = useTexts();
  const returned = useFinish(providers);
  const opened = useFinish(emailSignIn);
  if (returned.isPending || opened.isPending) return <Card title={t.signIn}><p>{t.loading}</p></Card>;
  return <Steps error={returned.error ?? opened.error} />;
}

/** `error` is that of a sign-in that began on another page. It may need a second step. */
function Steps({ error }: { readonly error: unknown }) {
  const { mfa } = readErrors(error);
  const [challenge, setChallenge] = useState<MfaChallenge | null>(mfa);
  const [expired, setExpired] = useState<unknown>(mfa ? null : error);
  const [isByMail, setByMail] = useState(!error && emailSignIn.pendingEmail !== null);

  function startAgain(error: unknown) {
    setChallenge(null);
    setExpired(error);
  }

  if (challenge) return <SecondStep challenge={challenge} onStartAgain={startAgain} />;
  if (isByMail) return <ByMail onChallenge={setChallenge} onBack={() => setByMail(false)} />;
  return <FirstStep expired={expired} onChallenge={setChallenge} onByMail={() => setByMail(true)} />;
}

interface FirstStepProps {
  /** The error of a second step that must start again. */
  readonly expired: unknown;
  readonly onChallenge: (challenge: MfaChallenge) => void;
  readonly onByMail: () => void;
}

function FirstStep({ expired, onChallenge, onByMail }: FirstStepProps) {
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
      {info?.identityProviders.map((provider) => (
        <Form key={provider.id} submit={t.signInWith(provider.name)} look="plain" send={() => providers.signIn(provider)} />
      ))}
      {info?.emailSignInEnabled && <button className="plain" onClick={onByMail}>{t.signInByMail}</button>}
      <footer>
        {isUnverified && <Link href="/verify-email">{t.sendAgain}</Link>}
        {info?.mailEnabled !== false && <Link href="/forgot-password">{t.forgot}</Link>}
        {info?.registrationEnabled !== false && <span>{t.noAccount} <Link href="/register">{t.register}</Link></span>}
      </footer>
    </Card>
  );
}

interface ByMailProps {
  readonly onChallenge: (challenge: MfaChallenge) => void;
  readonly onBack: () => void;
}

/** Sends a mail, and asks for its code. */
function ByMail({ onChallenge, onBack }: ByMailProps) {
  const t = useTexts();
  // The page may have been reloaded, or closed to look into the mailbox.
  const [email, setEmail] = useState(emailSignIn.pendingEmail);

  async function request({ email }: { email: string }) {
    await emailSignIn.request(email);
    setEmail(email);
  }

  async function resend(email: string) {
    await emailSignIn.request(email);
    return t.mailSent;
  }

  async function signIn(email: string, code: string) {
    try {
      await emailSignIn.signInWithCode(email, code);
    } catch (error) {
      const { mfa } = readErrors(error);
      if (!mfa) throw error;
      onChallenge(mfa);
    }
  }

  return (
    <Card title={t.signInByMail}>
      {email === null ? (
        <>
          <p className="hint">{t.mailText}</p>
          <Form<"email"> key="email" submit={t.sendMail} send={request}>
            <Field name="email" label={t.email} type="email" autoComplete="email" required />
          </Form>
        </>
      ) : (
        <>
          <p role="status">{t.mailCodeText(email)}</p>
          <Form<"code"> key="code" submit={t.signIn} send={({ code }) => signIn(email, code)}>
            <CodeField label={t.mailCode} inputMode="numeric" />
          </Form>
          <Form submit={t.resend} look="plain" send={() => resend(email)} />
          <button className="plain" onClick={() => setEmail(null)}>{t.otherAddress}</button>
        </>
      )}
      <footer><button className="plain" onClick={onBack}>{t.back}</button></footer>
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
