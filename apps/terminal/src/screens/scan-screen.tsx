import { Scanner, Screen, t } from "@cairn/app-kit";
import { useState } from "preact/hooks";

type ScanScreenProps = { readonly onCode: (text: string) => Promise<void>; readonly onBack: () => void };

/** The camera for one payment code. What is read goes to the terminal as it is: the terminal says what is wrong with it. */
export function ScanScreen({ onCode, onBack }: ScanScreenProps) {
  const [isBusy, setBusy] = useState(false);

  async function take(text: string): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    try {
      await onCode(text);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Screen title={t("scan.title")} onBack={onBack}>
      <Scanner label={t("scan.title")} paused={isBusy} onCode={({ text }) => void take(text)} />
    </Screen>
  );
}
