import Link from "next/link";
import { Field, Form } from "@/components/form";
import { requestPasswordReset } from "@/server/actions";

export const metadata = { title: "Forgot your password?" };

export default function ForgotPassword() {
  return (
    <>
      <h1>Forgot your password?</h1>
      <Form action={requestPasswordReset} submit="Send a link">
        <Field name="email" label="E-mail address" type="email" autoComplete="email" required />
      </Form>
      <p>
        <Link href="/sign-in">Sign in</Link>
      </p>
    </>
  );
}
