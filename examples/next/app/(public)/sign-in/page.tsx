import Link from "next/link";
import { Field, Form } from "@/components/form";
import { signIn } from "@/server/actions";

export const metadata = { title: "Sign in" };

const NOTICES: Record<string, string> = {
  expired: "Enter your password again, then the code.",
  ended: "Your session has ended. Sign in again.",
  reset: "Your password is changed. Sign in with the new one.",
  verify: "Your account is created. Open the link in the mail that we have sent you, then sign in.",
};

export default async function SignIn({ searchParams }: { searchParams: Promise<{ notice?: string }> }) {
  const { notice = "" } = await searchParams;
  return (
    <>
      <h1>Sign in</h1>
      {NOTICES[notice] && <p role="status">{NOTICES[notice]}</p>}
      <Form action={signIn} submit="Sign in">
        <Field name="username" label="Username or e-mail address" autoComplete="username" required />
        <Field name="password" label="Password" type="password" autoComplete="current-password" required />
      </Form>
      <p>
        <Link href="/forgot-password">Forgot your password?</Link>
      </p>
      <p>
        New here? <Link href="/register">Create an account</Link>
      </p>
    </>
  );
}
