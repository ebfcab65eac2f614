import { useMutation, useQuery } from "@apollo/client/react";
import { useState } from "react";
import { Alert, Form } from "../form";
import { graphql } from "../gql";
import type { StartTotpEnrollmentMutation } from "../gql/graphql";
import { useLanguage, useTexts } from "../language";
import { Section } from "../layout";
import { CodeField, SECOND_FACTOR } from "../secondFactor";

const START = graphql(`
  mutation StartTotpEnrollment {
    startTotpEnrollment { qrCodeSvg secret otpauthUri }
  }
`);

const CONFIRM = graphql(`
  mutation ConfirmTotpEnrollment($input: ConfirmTotpEnrollmentInput!) {
    confirmTotpEnrollment(input: $input) { recoveryCodes }
  }
`);

const REGENERATE = graphql(`
  mutation RegenerateRecoveryCodes {
    regenerateRecoveryCodes { recoveryCodes user { id recoveryCodesLeft } }
  }
`);

const DISABLE = graphql(`
  mutation DisableTotp {
    disableTotp { user { id mfaMethods recoveryCodesLeft rememberedDevices { id } } }
  }
`);

const DETAILS = graphql(`
  query SecondFactorDetails {
    me { id recoveryCodesLeft rememberedDevices { id device expiresAt } }
  }
`);

const FORGET = graphql(`
  mutation RevokeRememberedDevice($input: RevokeRememberedDeviceInput!) {
    revokeRememberedDevice(input: $input) { user { id rememberedDevices { id } } }
  }
`);

/** The authenticator app of the user. */
export function AuthenticatorApp() {
  const t = useTexts();
  const { data, error, refetch } = useQuery(SECOND_FACTOR);
  const [codes, setCodes] = useState<readonly string[]>([]);
  const methods = data?.me?.mfaMethods;
  return (
    <Section title={t.secondFactor} text={t.secondFactorText}>
      <Alert error={error} />
      {error && <button className="plain" onClick={() => refetch()}>{t.retry}</button>}
      {codes.length > 0 ? (
        <RecoveryCodes codes={codes} onDone={() => setCodes([])} />
      ) : methods?.includes("TOTP") ? (
        <Enabled />
      ) : (
        methods && <SetUp onCodes={setCodes} />
      )}
    </Section>
  );
}

/** What users of a second factor also have: recovery codes, and remembered browsers. */
export function Fallbacks() {
  const t = useTexts();
  const { data } = useQuery(SECOND_FACTOR);
  const [codes, setCodes] = useState<readonly string[]>([]);
  if (!data?.me?.mfaMethods.length) return null;
  return (
    <Section title={t.recoveryCodes} text={t.recoveryText}>
      {codes.length > 0 ? <RecoveryCodes codes={codes} onDone={() => setCodes([])} /> : <CodesAndBrowsers onCodes={setCodes} />}
    </Section>
  );
}

interface Codes {
  readonly onCodes: (codes: readonly string[]) => void;
}

function SetUp({ onCodes }: Codes) {
  const t = useTexts();
  const [enrollment, setEnrollment] = useState<StartTotpEnrollmentMutation["startTotpEnrollment"]>(null);
  // Secrets stay out of Apollo Client's cache.
  const [start] = useMutation(START, { fetchPolicy: "no-cache" });
  const [confirm] = useMutation(CONFIRM, { fetchPolicy: "no-cache", refetchQueries: [SECOND_FACTOR] });

  async function begin() {
    const { data } = await start();
    setEnrollment(data?.startTotpEnrollment ?? null);
  }

  async function finish({ code }: { code: string }) {
    const { data } = await confirm({ variables: { input: { code } } });
    onCodes(data?.confirmTotpEnrollment?.recoveryCodes ?? []);
  }

  if (!enrollment) return <Form submit={t.setUp} send={begin} />;
  return (
    <>
      <p>{t.scan}</p>
      <img className="qr-code" alt={t.qrCode} src={`data:image/svg+xml,${encodeURIComponent(enrollment.qrCodeSvg)}`} />
      <p className="hint">{t.enterSecret} <a href={enrollment.otpauthUri}>{t.openApp}</a></p>
      <code className="secret">{enrollment.secret}</code>
      <Form<"code"> submit={t.finish} send={finish}>
        <CodeField label={t.appCode} inputMode="numeric" />
      </Form>
      <Form submit={t.cancel} look="plain" send={async () => setEnrollment(null)} />
    </>
  );
}

/** Shows recovery codes once. */
export function RecoveryCodes({ codes, onDone }: { readonly codes: readonly string[]; readonly onDone: () => void }) {
  const t = useTexts();
  return (
    <>
      <p role="status" className="notice">{t.keepCodes}</p>
      <ul className="codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ul>
      <div className="buttons">
        <a className="button plain" download="recovery-codes.txt" href={`data:text/plain,${encodeURIComponent(codes.join("\n"))}`}>{t.saveCodes}</a>
        <Form submit={t.codesKept} send={async () => onDone()} />
      </div>
    </>
  );
}

function Enabled() {
  const t = useTexts();
  const [disable] = useMutation(DISABLE);

  async function remove() {
    await disable();
  }

  return (
    <>
      <p><span className="badge">{t.on}</span></p>
      <Form submit={t.removeApp} look="danger" send={remove} />
    </>
  );
}

function CodesAndBrowsers({ onCodes }: Codes) {
  const t = useTexts();
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium" });
  const { data } = useQuery(DETAILS, { fetchPolicy: "cache-and-network" });
  const [regenerate] = useMutation(REGENERATE, { fetchPolicy: "no-cache", refetchQueries: [DETAILS] });
  const [forget] = useMutation(FORGET);
  const { recoveryCodesLeft, rememberedDevices } = data?.me ?? {};

  async function replaceCodes() {
    const { data } = await regenerate();
    onCodes(data?.regenerateRecoveryCodes?.recoveryCodes ?? []);
  }

  async function revoke(rememberedDeviceId: string) {
    await forget({ variables: { input: { rememberedDeviceId } } });
  }

  return (
    <>
      {typeof recoveryCodesLeft === "number" && <p>{t.codesLeft(recoveryCodesLeft)}</p>}
      {rememberedDevices && rememberedDevices.length > 0 && (
        <>
          <p className="hint">{t.rememberedDevices}</p>
          <ul className="sessions">
            {rememberedDevices.map(({ id, device, expiresAt }) => (
              <li key={id}>
                <div><strong>{device}</strong><p className="hint">{t.until(format.format(new Date(expiresAt)))}</p></div>
                <Form submit={t.forget} look="plain" send={() => revoke(id)} />
              </li>
            ))}
          </ul>
        </>
      )}
      <Form submit={t.replaceCodes} look="plain" send={replaceCodes} />
    </>
  );
}
