import type { ServerInfo } from "@hallpass/client";
import Link from "next/link";
import { connection } from "next/server";
import { Field, Form } from "@/components/form";
import { register } from "@/server/actions";
import { page } from "@/server/errors";
import { publicRequest } from "@/server/session";

export const metadata = { title: "Create an account" };

const RULES = "query Rules { serverInfo { registrationEnabled emailRequired passwordPolicy { minLength } } }";

export default page(async () => {
  await connection();
  const { serverInfo } = await publicRequest<{
    serverInfo: Pick<ServerInfo, "registrationEnabled" | "emailRequired"> & { passwordPolicy: { minLength: number } };
  }>(RULES);
  return (
    <>
      <h1>Create an account</h1>
      {serverInfo.registrationEnabled ? (
        <Form action={register} submit="Create account">
          <Field name="username" label="Username" autoComplete="username" required />
          <Field
            name="email"
            label="E-mail address"
            type="email"
            autoComplete="email"
            required={serverInfo.emailRequired}
            {...(!serverInfo.emailRequired && { hint: "Optional. Needed if you forget your password." })}
          />
          <Field
            name="password"
            label="Password"
            type="password"
            autoComplete="new-password"
            required
            hint={`At least ${serverInfo.passwordPolicy.minLength} characters.`}
          />
        </Form>
      ) : (
        <p>This server accepts no registrations.</p>
      )}
      <p>
        Have an account? <Link href="/sign-in">Sign in</Link>
      </p>
    </>
  );
});
