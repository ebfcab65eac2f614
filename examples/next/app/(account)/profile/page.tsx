import type { User } from "@hallpass/client";
import { Field, Form } from "@/components/form";
import { updateProfile } from "@/server/actions";
import { page } from "@/server/errors";
import { request } from "@/server/session";

export const metadata = { title: "Profile" };

const PROFILE = "query Profile { me { id username firstName lastName } }";

export default page(async () => {
  const { me } = await request<{ me: Pick<User, "username" | "firstName" | "lastName"> }>(PROFILE);
  return (
    <>
      <h1>Profile</h1>
      <section className="card">
        <Form action={updateProfile} submit="Save">
          <Field name="username" label="Username" autoComplete="username" required defaultValue={me.username} />
          <Field name="firstName" label="First name" autoComplete="given-name" defaultValue={me.firstName ?? ""} />
          <Field name="lastName" label="Last name" autoComplete="family-name" defaultValue={me.lastName ?? ""} />
        </Form>
      </section>
    </>
  );
});
