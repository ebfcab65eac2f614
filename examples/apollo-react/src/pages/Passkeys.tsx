import { useApolloClient, useQuery } from "@apollo/client/react";
import { useState } from "react";
import { Alert, Field, Form } from "../form";
import { graphql } from "../gql";
import type { PasskeysQuery } from "../gql/graphql";
import { passkeys } from "../hallpass";
import { useLanguage, useTexts } from "../language";
import { Section } from "../layout";
import { SECOND_FACTOR } from "../secondFactor";
import { usePasskeysEnabled } from "../serverInfo";
import { RecoveryCodes } from "./SecondFactor";

const PASSKEYS = graphql(`
  query Passkeys {
    me { id passkeys { id name createdAt lastUsedAt isSynced } }
  }
`);

type Passkey = NonNullable<PasskeysQuery["me"]>["passkeys"][number];

/** The passkeys of the user. */
export function Passkeys() {
  const t = useTexts();
  const isEnabled = usePasskeysEnabled();
  const methods = useQuery(SECOND_FACTOR).data?.me?.mfaMethods;
  const { data, error, refetch } = useQuery(PASSKEYS, { skip: !methods?.includes("PASSKEY") });
  const update = useUpdate();
  const [codes, setCodes] = useState<readonly string[]>([]);
  const list = methods?.includes("PASSKEY") ? (data?.me?.passkeys ?? []) : [];

  async function add() {
    const { recoveryCodes } = await passkeys.add();
    setCodes(recoveryCodes ?? []);
    await update();
  }

  if (!isEnabled && list.length === 0) return null;
  return (
    <Section title={t.passkeys} text={t.passkeysText}>
      <Alert error={error} />
      {error && <button className="plain" onClick={() => refetch()}>{t.retry}</button>}
      {list.length > 0 && <ul className="sessions">{list.map((passkey) => <Item key={passkey.id} passkey={passkey} />)}</ul>}
      {codes.length > 0 ? <RecoveryCodes codes={codes} onDone={() => setCodes([])} /> : isEnabled && methods && <Form submit={t.addPasskey} send={add} />}
    </Section>
  );
}

function Item({ passkey: { id, name, createdAt, lastUsedAt, isSynced } }: { readonly passkey: Passkey }) {
  const t = useTexts();
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium" });
  const update = useUpdate();
  const [isRenaming, setRenaming] = useState(false);
  const date = (time: string) => format.format(new Date(time));

  async function rename({ name }: { name: string }) {
    await passkeys.rename(id, name);
    await update();
    setRenaming(false);
  }

  async function remove() {
    await passkeys.delete(id);
    await update();
  }

  if (isRenaming)
    return (
      <li>
        <Form<"name"> submit={t.save} send={rename}>
          <Field name="name" label={t.passkeyName} defaultValue={name} maxLength={100} autoFocus required />
        </Form>
        <button className="plain" onClick={() => setRenaming(false)}>{t.cancel}</button>
      </li>
    );
  return (
    <li>
      <div>
        <strong>{name}</strong> {isSynced && <span className="badge">{t.synced}</span>}
        <p className="hint">{[t.added(date(createdAt)), lastUsedAt && t.used(date(lastUsedAt))].filter(Boolean).join(" · ")}</p>
      </div>
      <div className="buttons">
        <button className="plain" onClick={() => setRenaming(true)}>{t.rename}</button>
        <Form submit={t.delete} look="danger" send={remove} />
      </div>
    </li>
  );
}

/** Returns a function that queries again what is shown: the functions of `@hallpass/client` do not use Apollo Client's cache. */
function useUpdate() {
  const apollo = useApolloClient();
  return async () => void (await apollo.refetchQueries({ include: "active" }));
}
