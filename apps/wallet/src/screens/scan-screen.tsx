import { Button, payersRefusalText, playVerdict, refusalAdvice, Scanner, Screen, t, Verdict } from "@cairn/app-kit";
import type { PayRefusal } from "@cairn/pay";
import { useState } from "preact/hooks";
import { useBusy } from "./shared.tsx";

type ScanScreenProps = {
  readonly title: string;
  /** Answers why a code was turned away. */
  readonly onCode: (text: string) => Promise<PayRefusal | undefined>;
  readonly onBack: () => void;
};

/** The camera for one code of a payee. What is read goes to the wallet as it is: the wallet says what is wrong with it. */
export function ScanScreen({ title, onCode, onBack }: ScanScreenProps) {
  const [refusal, setRefusal] = useState<PayRefusal>();
  const [isBusy, run] = useBusy();

  async function take(text: string): Promise<void> {
    const refused = await onCode(text);
    if (refused !== undefined) playVerdict("refused");
    setRefusal(refused);
  }

  if (refusal !== undefined) {
    return (
      <RefusedScreen refusal={refusal} onBack={onBack}>
        <Button kind="main" onClick={() => setRefusal(undefined)}>
          {t("scan.again")}
        </Button>
      </RefusedScreen>
    );
  }
  return (
    <Screen title={title} onBack={onBack}>
      <Scanner label={title} paused={isBusy} onCode={({ text }) => void run(() => take(text))} />
    </Screen>
  );
}

export function RefusedScreen(props: {
  readonly refusal: PayRefusal;
  readonly onBack: () => void;
  readonly children?: preact.ComponentChildren;
}) {
  const advice = refusalAdvice(props.refusal);
  return (
    <Screen title={t("refused.title")} onBack={props.onBack} actions={props.children}>
      <Verdict kind="bad" title={t("refused.verdict")}>
        <p>{payersRefusalText(props.refusal)}</p>
        {advice !== undefined && <p>{advice}</p>}
        <p class="hint">{t("refused.nothing")}</p>
        <p class="hint" dir="ltr">
          {props.refusal.code}
        </p>
      </Verdict>
    </Screen>
  );
}
