import { Field, Form } from "@/components/form";
import { changePassword } from "@/server/actions";
import { page } from "@/server/errors";
import { request } from "@/server/session";

export const metadata = { title: "Password" };

export default page(async () => {
  const { serverInfo } = await request<{ serverInfo: { passwordPolicy: { minLength: number } } }>(
    "query Password { me { id } serverInfo { passwordPolicy { minLength } } }",
  );
  return (
    <>
      <h1>Password</h1>
      <section className="card">
        <Form action={changePassword} submit="Change password">
          <Field name="currentPassword" label="Current password" type="password" autoComplete="current-password" required />
          <Field
            name="newPassword"
            label="New password"
            type="password"
            autoComplete="new-password"
            required
            hint={`At least ${serverInfo.passwordPolicy.minLength} characters.`}
          />
        </Form>
      </section>
    </>
  );
});
