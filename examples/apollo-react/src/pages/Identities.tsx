import { useApolloClient, useQuery } from "@apollo/client/react";
import type { ProviderResult } from "@hallpass/client/providers";
import type { Finished } from "@hallpass/client/react";
import { Alert, Form } from "../form";
import { graphql } from "../gql";
import { providers } from "../hallpass";
import { useLanguage, useTexts } from "../language";
import { Section } from "../layout";
import { useServerInfo } from "../serverInfo";

const IDENTITIES = graphql(`
  query Identities {
    me { id identities { id email linkedAt provider { id name } } }
  }
`);

interface IdentitiesProps {
  /** What came of the provider that returned to this page. */
  readonly returned: Finished<ProviderResult>;
}

/** The accounts at providers that the user can sign in with. */
export function Identities({ returned }: IdentitiesProps) {
  const t = useTexts();
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium" });
  const available = useServerInfo()?.identityProviders ?? [];
  const apollo = useApolloClient();
  const { data, error, refetch } = useQuery(IDENTITIES, { skip: available.length === 0 || returned.isPending });
  const identities = data?.me?.identities ?? [];

  async function unlink(id: string) {
    await providers.unlink(id);
    await apollo.refetchQueries({ include: "active" });
  }

  if (available.length === 0) return null;
  return (
    <Section title={t.identities} text={t.identitiesText}>
      <Alert error={returned.error ?? error} />
      {error && <button className="plain" onClick={() => refetch()}>{t.retry}</button>}
      {identities.length > 0 && (
        <ul className="sessions">
          {identities.map(({ id, email, linkedAt, provider }) => (
            <li key={id}>
              <div>
                <strong>{provider.name}</strong>
                <p className="hint">{[email, t.linked(format.format(new Date(linkedAt)))].filter(Boolean).join(" · ")}</p>
              </div>
              <Form submit={t.unlink} look="danger" send={() => unlink(id)} />
            </li>
          ))}
        </ul>
      )}
      {available.map((provider) => <Form key={provider.id} submit={t.link(provider.name)} look="plain" send={() => providers.link(provider)} />)}
    </Section>
  );
}
