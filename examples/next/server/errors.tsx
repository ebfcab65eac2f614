import "server-only";
import { HallpassError } from "@hallpass/client";
import { readErrors, type FieldProblem, type Problems } from "@hallpass/client/errors";
import type { ReactNode } from "react";

/** What a form shows after it was submitted. */
export interface FormState {
  readonly done?: string;
  /** The problem to show above the form. */
  readonly form?: string | null;
  readonly fields?: { readonly [name: string]: FieldProblem | undefined };
  /** What the user typed, except passwords and codes. */
  readonly values?: { readonly [name: string]: string };
}

/** Calls `run` with the named fields of a form. Returns its result, or the problems that Hallpass found. */
export async function submit<Name extends string>(
  data: FormData,
  names: readonly Name[],
  run: (input: Record<Name, string>) => Promise<string>,
): Promise<FormState> {
  const entries = names.map((name) => [name, String(data.get(name) ?? "")] as const);
  const values = Object.fromEntries(entries.filter(([name]) => !/password|token|code/i.test(name)));
  try {
    return { done: await run(Object.fromEntries(entries) as Record<Name, string>), values };
  } catch (error) {
    const { form, fields } = problemsOf(error);
    return { form, fields, values };
  }
}

/** Renders a page, or why it cannot be shown. Next.js shows an `error.tsx` only with JavaScript. */
export function page<Props>(render: (props: Props) => Promise<ReactNode>) {
  return async function Page(props: Props) {
    try {
      return await render(props);
    } catch (error) {
      const { form } = problemsOf(error);
      console.error(error);
      return (
        <>
          <h1>This page cannot be shown</h1>
          <p role="alert">{form}</p>
          <p><a href="">Try again</a></p>
        </>
      );
    }
  };
}

/** Reads an error of Hallpass. Throws all others, such as a redirect. */
function problemsOf(error: unknown): Problems {
  if (!(error instanceof HallpassError)) throw error;
  const problems = readErrors(error);
  // The package's message tells users to check their connection, but here the connection from this app to Hallpass failed.
  return problems.code === "NETWORK_ERROR" ? { ...problems, form: "Accounts are not available at the moment. Try again soon." } : problems;
}
