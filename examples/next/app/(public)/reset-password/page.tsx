import Link from "next/link";
import { Field, Form } from "@/components/form";
import { resetPassword } from "@/server/actions";

export const metadata = { title: "Choose a new password" };

/** The link in the mail leads here if Hallpass has this app as APP_URL. */
export default async function ResetPassword({ searchParams }: { searchParams: Promise<{ token?: string }> }) {
  const { token } = await searchParams;
  return (
    <>
      <h1>Choose a new password</h1>
      <Form action={resetPassword} submit="Save">
        <input type="hidden" name="token" value={token ?? ""} />
        <Field name="newPassword" label="New password" type="password" autoComplete="new-password" required />
      </Form>
      <p>
        <Link href="/forgot-password">Ask for another link</Link>
      </p>
    </>
  );
}
