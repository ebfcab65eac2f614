import "server-only";
import { HallpassError } from "@hallpass/client";
import { readErrors, type FieldProblem } from "@hallpass/client/errors";

/** What a form shows after it was submitted. */
export interface FormState {
  readonly done?: string;
  /** The problem to show above the form. */
  readonly form?: string | null;
  readonly fields?: { readonly [name: string]: FieldProblem | undefined };
  /** What the user typed, except passwords. */
  readonly values?: { readonly [name: string]: string };
}

/** Calls `run` with the named fields of a form. Returns its result, or the problems that the server found. */
export async function submit<Name extends string>(
  data: FormData,
  names: readonly Name[],
  run: (input: Record<Name, string>) => Promise<string>,
): Promise<FormState> {
  const entries = names.map((name) => [name, String(data.get(name) ?? "")] as const);
  const values = Object.fromEntries(entries.filter(([name]) => !/password|token/i.test(name)));
  try {
    return { done: await run(Object.fromEntries(entries) as Record<Name, string>), values };
  } catch (error) {
    // Such as a redirect.
    if (!(error instanceof HallpassError)) throw error;
    const { form, fields } = readErrors(error);
    return { form, fields, values };
  }
}
