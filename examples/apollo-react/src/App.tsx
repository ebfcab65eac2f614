import { useFinish, useHallpass, useSession } from "@hallpass/client/react";
import { useEffect, useRef, useState, type ComponentProps } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { Form } from "./form";
import { providers } from "./hallpass";
import { useTexts } from "./language";
import { Card, Done, Header, Navigation } from "./layout";
import { AcceptInvitation } from "./pages/AcceptInvitation";
import { ForgotPassword } from "./pages/ForgotPassword";
import { Profile } from "./pages/Profile";
import { Register } from "./pages/Register";
import { ResetPassword } from "./pages/ResetPassword";
import { RecoveryCodes } from "./pages/SecondFactor";
import { Security } from "./pages/Security";
import { SignIn } from "./pages/SignIn";
import { VerifyEmail } from "./pages/VerifyEmail";

export function App() {
  const t = useTexts();
  const hallpass = useHallpass();
  const { status, isOffline } = useSession();
  const [path] = useLocation();
  // Of an account that was created with a passkey. They are shown before anything else, because they cannot be read again.
  const [codes, setCodes] = useState<readonly string[]>([]);
  useFocus(status, path);

  return (
    <>
      <Header>{status === "signedIn" && <Form submit={t.signOut} look="plain" send={() => hallpass.logout()} />}</Header>
      <p role="status" className="banner">{isOffline && t.unreachable}</p>
      <main>
        {status === "loading" ? (
          !isOffline && <p>{t.loading}</p>
        ) : codes.length > 0 ? (
          <Card title={t.recoveryCodes}><RecoveryCodes codes={codes} onDone={() => setCodes([])} /></Card>
        ) : (
          <Switch>
            <Route path="/verify-email" component={VerifyEmail} />
            <Route path="/reset-password" component={ResetPassword} />
            <Route path="/accept-invitation" component={AcceptInvitation} />
            <Route path="/account-deleted"><Done title={t.deleted} text={t.deletedText} link={t.back} /></Route>
            <Route>{status === "signedIn" ? <SignedIn /> : <SignedOut onCodes={setCodes} />}</Route>
          </Switch>
        )}
      </main>
    </>
  );
}

function SignedIn() {
  // A provider returns to the page where the user linked it.
  const returned = useFinish(providers);
  return (
    <>
      <Navigation />
      <Switch>
        <Route path="/" component={Profile} />
        <Route path="/security"><Security returned={returned} /></Route>
        <Route><Redirect to="/" replace /></Route>
      </Switch>
    </>
  );
}

/** Signing in on any other page shows that page. */
function SignedOut({ onCodes }: ComponentProps<typeof Register>) {
  return (
    <Switch>
      <Route path="/register"><Register onCodes={onCodes} /></Route>
      <Route path="/forgot-password" component={ForgotPassword} />
      <Route component={SignIn} />
    </Switch>
  );
}

/** Moves the focus to the heading when the page changes, so that screen readers announce it. */
function useFocus(status: string, path: string) {
  const previous = useRef("loading");
  useEffect(() => {
    const key = status === "loading" ? status : status + path;
    if (previous.current !== "loading" && key !== previous.current) document.querySelector<HTMLElement>("h1")?.focus();
    previous.current = key;
  }, [status, path]);
}
