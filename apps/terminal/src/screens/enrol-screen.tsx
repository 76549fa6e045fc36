import {
  enrolmentCodeIn,
  Notice,
  Scanner,
  Screen,
  type StorageCare,
  t,
  takeEnrolmentCode,
  useOnline,
} from "@cairn/app-kit";
import { useState } from "preact/hooks";

export type EnrolInput = { readonly code: string; readonly label: string };
type EnrolScreenProps = {
  readonly storage: StorageCare;
  /** Gives the sentence of what went wrong. */
  readonly onEnrol: (input: EnrolInput) => Promise<string | undefined>;
};

/** The one step that needs a network. */
export function EnrolScreen({ storage, onEnrol }: EnrolScreenProps) {
  const isOnline = useOnline();
  const [code, setCode] = useState(() => takeEnrolmentCode() ?? "");
  const [label, setLabel] = useState(() => t("enrol.label-default"));
  const [isScanning, setScanning] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setProblem(await onEnrol({ code: enrolmentCodeIn(code), label: label.trim() }));
    setBusy(false);
  }

  if (isScanning) {
    return (
      <Screen title={t("enrol.scan")} onBack={() => setScanning(false)}>
        <Scanner
          label={t("enrol.scan")}
          onCode={({ text }) => {
            setCode(enrolmentCodeIn(text));
            setScanning(false);
          }}
        />
      </Screen>
    );
  }
  return (
    <Screen title={t("enrol.title")}>
      <p>{t("enrol.explain")}</p>
      {storage === "private" && <Notice kind="warn">{t("storage.private")}</Notice>}
      {!isOnline && <Notice kind="warn">{t("enrol.offline")}</Notice>}
      <form class="enrol" onSubmit={submit}>
        <label class="field">
          {t("enrol.code")}
          <input
            name="code"
            required
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            dir="ltr"
            value={code}
            onInput={(event) => setCode(event.currentTarget.value)}
          />
        </label>
        <button type="button" class="button plain" onClick={() => setScanning(true)}>
          {t("enrol.scan")}
        </button>
        <label class="field">
          {t("enrol.label")}
          <input
            name="label"
            required
            maxLength={60}
            value={label}
            onInput={(event) => setLabel(event.currentTarget.value)}
          />
        </label>
        {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
        <button type="submit" class="button main" disabled={isBusy || code.trim() === ""}>
          {t(isBusy ? "enrol.working" : "enrol.submit")}
        </button>
      </form>
      {storage === "may-be-deleted" && <Notice kind="info">{t("storage.may-be-deleted")}</Notice>}
    </Screen>
  );
}
