import { useQuery } from "@apollo/client/react";
import { arePasskeysSupported } from "@hallpass/client/passkeys";
import { Field, PasswordField } from "./form";
import { graphql } from "./gql";
import { useTexts } from "./language";

const SERVER_INFO = graphql(`
  query ServerInfo {
    serverInfo {
      registrationEnabled
      emailRequired
      mailEnabled
      passkeysEnabled
      emailSignInEnabled
      identityProviders { id name startUrl }
      passwordPolicy { minLength }
      usernamePolicy { maxLength pattern }
    }
  }
`);

/** The settings of the server that forms need. Undefined until they are known. */
export function useServerInfo() {
  return useQuery(SERVER_INFO, { context: { isPublic: true } }).data?.serverInfo;
}

/** Whether the browser and the server can use passkeys. */
export function usePasskeysEnabled(): boolean {
  return Boolean(useServerInfo()?.passkeysEnabled) && arePasskeysSupported();
}

export function UsernameField({ value }: { readonly value?: string }) {
  const t = useTexts();
  const { maxLength, pattern } = useServerInfo()?.usernamePolicy ?? {};
  return (
    <Field
      name="username"
      label={t.username}
      hint={t.invalidUsername}
      defaultValue={value}
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      required
      maxLength={maxLength}
      pattern={pattern}
    />
  );
}

export function NewPasswordField({ name, label }: { readonly name: string; readonly label: string }) {
  const t = useTexts();
  const minLength = useServerInfo()?.passwordPolicy.minLength;
  // No `maxLength`: the browser would cut off a pasted password without a word.
  return <PasswordField name={name} label={label} autoComplete="new-password" minLength={minLength} hint={minLength ? t.atLeast(minLength) : undefined} />;
}
