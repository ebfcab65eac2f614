"use client";

import { createContext, use, useActionState, useEffect, useRef, type ComponentProps, type ReactNode } from "react";
import type { FormState } from "@/server/errors";

const State = createContext<FormState>({});

interface FormProps {
  readonly action: (state: FormState, data: FormData) => Promise<FormState>;
  /** The text of the button. */
  readonly submit: string;
  readonly isSecondary?: boolean;
  readonly children?: ReactNode;
}

/** A form of a server action. It works without JavaScript, too: then the server renders the page with its result. */
export function Form({ action, submit, isSecondary, children }: FormProps) {
  const [state, formAction, isPending] = useActionState(action, {});
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), [state]);
  return (
    <form action={formAction} ref={form}>
      {state.form && <p role="alert">{state.form}</p>}
      {state.done && <p role="status">{state.done}</p>}
      <State value={state}>{children}</State>
      <button className={isSecondary ? "secondary" : undefined} disabled={isPending}>{submit}</button>
    </form>
  );
}

/** An input with its label and its problem. */
export function Field({ name, label, hint, ...input }: ComponentProps<"input"> & { readonly name: string; readonly label: string; readonly hint?: string }) {
  const { fields, values } = use(State);
  const problem = fields?.[name]?.message;
  return (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      <input
        {...input}
        id={name}
        name={name}
        defaultValue={values?.[name] ?? input.defaultValue}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem || hint ? `${name}-text` : undefined}
      />
      {(problem || hint) && <p id={`${name}-text`} className={problem ? "problem" : "hint"}>{problem ?? hint}</p>}
    </div>
  );
}
