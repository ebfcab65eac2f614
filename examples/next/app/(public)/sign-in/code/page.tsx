import Link from "next/link";
import { Field, Form } from "@/components/form";
import { enterCode } from "@/server/actions";

export const metadata = { title: "Enter the code" };

export default function EnterCode() {
  return (
    <>
      <h1>Enter the code</h1>
      <Form action={enterCode} submit="Sign in">
        <Field
          name="code"
          label="Code"
          hint="Of your authenticator app, or a recovery code."
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
      </Form>
      <p>
        <Link href="/sign-in">Back to sign-in</Link>
      </p>
    </>
  );
}
