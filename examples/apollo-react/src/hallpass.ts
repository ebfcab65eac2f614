import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { createHallpass, USER_FIELDS } from "@hallpass/client";
import { clearOnUserChange, hallpassLink } from "@hallpass/client/apollo";
import { createEmailSignIn } from "@hallpass/client/email";
import { followAccount } from "@hallpass/client/live";
import { createPasskeys } from "@hallpass/client/passkeys";
import { createProviders } from "@hallpass/client/providers";
import { getLanguage } from "./language";

const url: string = import.meta.env.VITE_HALLPASS_URL ?? "http://localhost:8000/graphql";
// The server answers, and writes mails, in the language of the page.
const headers = () => ({ "accept-language": getLanguage() });

export const hallpass = createHallpass({ url, headers });
export const passkeys = createPasskeys(hallpass);
export const providers = createProviders(hallpass);
export const emailSignIn = createEmailSignIn(hallpass);

export const apollo = new ApolloClient({
  link: ApolloLink.from([
    new SetContextLink((context) => ({ headers: { ...context.headers, ...headers() } })),
    hallpassLink(hallpass),
    new HttpLink({ uri: url, credentials: "include" }),
  ]),
  cache: new InMemoryCache(),
});
clearOnUserChange(apollo, hallpass);

// Signs out at once when the session has ended elsewhere, and shows changes that were made on other devices.
const LIVE_USER = gql`fragment LiveUser on User { ${USER_FIELDS} }`;
followAccount(hallpass, {
  onEvent({ user, endsSession }) {
    if (endsSession) return;
    const data = { __typename: "User", ...user };
    apollo.cache.writeFragment({ id: apollo.cache.identify(data) ?? "", fragment: LIVE_USER, data });
  },
});
