// Checked by the compiler only: what the types of the package promise.

import { createHallpass, readErrors, type ErrorCode, type MfaChallenge, type RegisterInput, type SessionUser, type TypedDocument } from "../src/index.js";
import { useHallpassError } from "../src/react.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectEqual<A, B>(_: Equal<A, B>): void {}

const hallpass = createHallpass({ url: "/graphql" });
createHallpass({ url: "/graphql", headers: () => ({ "accept-language": "en" }) });
createHallpass({ url: "/graphql", headers: async () => new Headers() });

const user = await hallpass.login({ username: "ada", password: "correct horse" });
expectEqual<typeof user, SessionUser>(true);

declare const document: TypedDocument<{ me: { id: string } | null }, { first: number }>;
const data = await hallpass.request(document, { first: 1 });
expectEqual<typeof data, { me: { id: string } | null }>(true);
// @ts-expect-error: the variables of the document are typed.
void hallpass.request(document, { first: "1" });

const { fields, code } = readErrors<RegisterInput>(null);
expectEqual<keyof typeof fields, keyof RegisterInput>(true);
// @ts-expect-error: `login` is not a field of the input.
void fields.login;
readErrors(null).fields["anything"]?.message;
useHallpassError<RegisterInput>(null).fields.password?.limit;
// Known codes are suggested, and unknown ones are possible.
const known: ErrorCode = "USERNAME_TAKEN";
void (code === known || code === "SOME_NEWER_CODE");

const state = hallpass.getState();
if (state.status === "signedIn") expectEqual<typeof state.user, SessionUser>(true);
if (state.status === "signedOut") expectEqual<typeof state.user, null>(true);

expectEqual<ReturnType<typeof readErrors>["mfa"], MfaChallenge | null>(true);
void hallpass.verifyMfa({ token: "…", factor: { totpCode: "123456" } });
// @ts-expect-error: one of the two.
void hallpass.verifyMfa({ token: "…", factor: { totpCode: "123456", recoveryCode: "…" } });
