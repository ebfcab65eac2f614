import Link from "next/link";
import { Form } from "@/components/form";
import { verifyEmail } from "@/server/actions";

export const metadata = { title: "Verify your e-mail address" };

/** The link in the mail leads here if Hallpass has this app as APP_URL. The button is needed because mail programs open links. */
export default async function VerifyEmail({ searchParams }: { searchParams: Promise<{ token?: string; result?: string }> }) {
  const { token, result } = await searchParams;
  if (result === "done") {
    return (
      <>
        <h1>Your e-mail address is verified</h1>
        <Link href="/">Continue</Link>
      </>
    );
  }
  return (
    <>
      <h1>Verify your e-mail address</h1>
      <Form action={verifyEmail} submit="Verify">
        <input type="hidden" name="token" value={token ?? ""} />
      </Form>
    </>
  );
}
