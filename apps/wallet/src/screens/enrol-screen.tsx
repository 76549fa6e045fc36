import {
  Button,
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
import type { Wallet } from "../session/open-wallet.ts";
import { useBusy } from "./shared.tsx";

/** The one step that needs a network. */
export function EnrolScreen({
  wallet,
  storage,
  onEnrolled,
}: {
  readonly wallet: Wallet;
  readonly storage: StorageCare;
  readonly onEnrolled: () => void;
}) {
  const isOnline = useOnline();
  const [code, setCode] = useState(() => takeEnrolmentCode() ?? "");
  const [isScanning, setScanning] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [isBusy, run] = useBusy();

  async function enrol(): Promise<void> {
    const failure = await wallet.enrol({ code: enrolmentCodeIn(code), label: t("enrol.label") });
    setProblem(failure);
    if (failure === undefined) onEnrolled();
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
      <form
        class="content"
        onSubmit={(event) => {
          event.preventDefault();
          void run(enrol);
        }}
      >
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
        <Button onClick={() => setScanning(true)}>{t("enrol.scan")}</Button>
        {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
        <button type="submit" class="button main" disabled={isBusy || code.trim() === ""}>
          {t(isBusy ? "enrol.working" : "enrol.submit")}
        </button>
      </form>
      {storage === "may-be-deleted" && <Notice kind="info">{t("storage.may-be-deleted")}</Notice>}
    </Screen>
  );
}
