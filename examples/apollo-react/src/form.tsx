import { readErrors } from "@hallpass/client/errors";
import { useHallpassError, useUser } from "@hallpass/client/react";
import { createContext, useContext, useEffect, useId, useLayoutEffect, useRef, useState, type ComponentProps, type FormEvent, type ReactNode } from "react";
import { useLanguage, useTexts } from "./language";
import { Reauthenticate } from "./secondFactor";
import type { Texts } from "./texts";

interface Result {
  readonly error: unknown;
  /** Problems that the browser found before the request, by field. */
  readonly invalid: Record<string, string>;
  /** A problem of a field that the form does not have. */
  readonly other?: string | undefined;
  readonly done?: string | undefined;
}

const EMPTY: Result = { error: null, invalid: {} };
/** Messages by field. */
const Problems = createContext<Record<string, string>>({});

interface FormProps<Name extends string> {
  /** The text of the button. */
  readonly submit: string;
  /** Sends the values of the fields. What it throws is shown; what it returns is shown as success. */
  readonly send: (values: Record<Name, string>) => Promise<string | void>;
  readonly look?: "primary" | "plain" | "danger";
  readonly children?: ReactNode;
}

/** A form that sends one mutation and shows each problem at its field. Without fields, it is a button that reports problems. */
export function Form<Name extends string = never>({ submit, send, look = "primary", children }: FormProps<Name>) {
  const t = useTexts();
  const language = useLanguage();
  const form = useRef<HTMLFormElement>(null);
  const [isSending, setSending] = useState(false);
  const [result, setResult] = useState(EMPTY);
  const problems = useHallpassError(result.error);
  const messages = { ...result.invalid };
  for (const [name, problem] of Object.entries(problems.fields)) if (problem) messages[name] = problem.message;

  // The messages are in the language of the request.
  useEffect(() => setResult(EMPTY), [language]);
  useEffect(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus(), [result]);
  // A form that disappears after its request, such as that of a revoked session, must not take the focus with it.
  useLayoutEffect(() => {
    const element = form.current;
    return () => {
      if (element?.contains(document.activeElement)) document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    };
  }, []);

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isSending) return;
    const target = event.currentTarget;
    const invalid = validate(target, t);
    setResult({ error: null, invalid });
    if (Object.keys(invalid).length > 0) return;
    setSending(true);
    try {
      const done = await send(Object.fromEntries(new FormData(target)) as Record<Name, string>);
      target.reset();
      setResult({ ...EMPTY, done: done ?? undefined });
    } catch (error) {
      const other = Object.entries(readErrors(error).fields).find(([name]) => !target.elements.namedItem(name));
      setResult({ error, invalid: {}, other: other?.[1]?.message });
    } finally {
      setSending(false);
    }
  }

  return (
    <>
      <form ref={form} onSubmit={onSubmit} noValidate>
        <Problems value={messages}>{children}</Problems>
        <button className={look} aria-disabled={isSending} disabled={problems.retryIn > 0}>
          {problems.retryIn > 0 ? t.retryIn(problems.retryIn) : submit}
        </button>
        <Alert error={result.error} other={result.other} />
        <p role="status" className="done">{result.done}</p>
      </form>
      {/* Then the form is sent again, with what was entered. */}
      {problems.code === "REAUTHENTICATION_REQUIRED" && <Reauthenticate onDone={() => form.current?.requestSubmit()} />}
    </>
  );
}

/** What an error says about the whole request, otherwise `other`. */
export function Alert({ error, other }: { readonly error: unknown; readonly other?: string | undefined }) {
  const t = useTexts();
  const { code, form, requestId } = readErrors(error);
  // The messages of the server are in the language of the page, and those of the package in English.
  const own: Record<string, string> = {
    NETWORK_ERROR: t.networkError,
    UNKNOWN_ERROR: t.unknownError,
    PASSKEY_CANCELLED: t.passkeyCancelled,
    PASSKEY_EXISTS: t.passkeyExists,
    PASSKEY_UNAVAILABLE: t.passkeyUnavailable,
    PROVIDER_REFUSED: t.providerRefused,
    PROVIDER_FAILED: t.providerFailed,
    STARTED_ELSEWHERE: t.startedElsewhere,
    SIGN_IN_UNAVAILABLE: t.signInUnavailable,
  };
  const message = own[code ?? ""] ?? form;
  return (
    <p role="alert" className="problem">
      {message ?? other}
      {code === "INTERNAL_SERVER_ERROR" && requestId && <small> {t.requestId(requestId)}</small>}
    </p>
  );
}

/** Messages for the fields that break the rules of their attributes. The server has the last word. */
function validate(form: HTMLFormElement, t: Texts): Record<string, string> {
  const invalid: Record<string, string> = {};
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement) || field.validity.valid) continue;
    const { valueMissing, typeMismatch, patternMismatch } = field.validity;
    if (valueMissing) invalid[field.name] = t.required;
    else if (typeMismatch) invalid[field.name] = t.invalidEmail;
    else if (patternMismatch) invalid[field.name] = t.invalidUsername;
    else invalid[field.name] = t.atLeast(field.minLength);
  }
  return invalid;
}

interface FieldProps extends ComponentProps<"input"> {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
}

export function Field({ name, label, hint, children, ...input }: FieldProps) {
  const t = useTexts();
  const id = useId();
  const problem = useContext(Problems)[name];
  const help = problem ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {!input.required && <small>({t.optional})</small>}
      </label>
      <div className="input">
        <input id={id} name={name} aria-invalid={problem ? true : undefined} aria-describedby={help && `${id}-help`} {...input} />
        {children}
      </div>
      {help && <p id={`${id}-help`} className={problem ? "problem" : "hint"}>{help}</p>}
    </div>
  );
}

export function PasswordField(props: FieldProps) {
  const t = useTexts();
  const [isShown, setShown] = useState(false);
  return (
    <Field type={isShown ? "text" : "password"} autoCapitalize="none" spellCheck={false} required {...props}>
      <button type="button" className="plain" aria-label={`${isShown ? t.hide : t.show}: ${props.label}`} onClick={() => setShown(!isShown)}>
        {isShown ? t.hide : t.show}
      </button>
    </Field>
  );
}

export function CurrentPasswordField({ name }: { readonly name: string }) {
  const t = useTexts();
  const user = useUser();
  return (
    <>
      {/* Tells password managers whose password it is. */}
      <input hidden readOnly autoComplete="username" value={user?.username ?? ""} />
      <PasswordField name={name} label={t.currentPassword} autoComplete="current-password" />
    </>
  );
}

export function Checkbox({ name, label }: { readonly name: string; readonly label: string }) {
  return (
    <label className="checkbox">
      <input type="checkbox" name={name} /> {label}
    </label>
  );
}
