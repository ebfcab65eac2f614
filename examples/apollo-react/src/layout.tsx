import { useSession } from "@hallpass/client/react";
import { useId, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { languages, setLanguage, useLanguage, useTexts, type Language } from "./language";
import { texts } from "./texts";

interface PageProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** A small page with one card, such as the sign-in form. */
export function Card({ title, children }: PageProps) {
  return (
    <div className="narrow card">
      <Heading title={title} />
      {children}
    </div>
  );
}

export function Heading({ title }: { readonly title: string }) {
  return (
    <>
      <title>{`${title} – Acme`}</title>
      {/* The app moves the focus here when the page changes. */}
      <h1 tabIndex={-1}>{title}</h1>
    </>
  );
}

export function Section({ title, text, children }: PageProps & { readonly text?: string }) {
  const id = useId();
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {text && <p className="hint">{text}</p>}
      {children}
    </section>
  );
}

/** The end of a flow. */
export function Done({ title, text, link }: { readonly title: string; readonly text: string; readonly link: string }) {
  return (
    <Card title={title}>
      <p role="status">{text}</p>
      <Link href="/" className="button primary">{link}</Link>
    </Card>
  );
}

export function Header({ children }: { readonly children?: ReactNode }) {
  const { user } = useSession();
  return (
    <header>
      <Link href="/" className="brand"><img src="/icon.svg" alt="" width="28" height="28" />Acme</Link>
      <span className="user">{user?.fullName ?? user?.username}</span>
      <LanguageSwitch />
      {children}
    </header>
  );
}

function LanguageSwitch() {
  const t = useTexts();
  return (
    <select aria-label={t.language} value={useLanguage()} onChange={(event) => setLanguage(event.target.value as Language)}>
      {languages.map((language) => <option key={language} value={language} lang={language}>{texts[language].languageName}</option>)}
    </select>
  );
}

export function Navigation() {
  const t = useTexts();
  const [path] = useLocation();
  const pages = { "/": t.profile, "/security": t.security };
  return (
    <nav aria-label={t.account}>
      {Object.entries(pages).map(([href, title]) => <Link key={href} href={href} aria-current={path === href ? "page" : undefined}>{title}</Link>)}
    </nav>
  );
}
