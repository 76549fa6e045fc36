import { Button, formatMoney, Screen, t } from "@cairn/app-kit";
import { AmountError, type Currency, parseAmount } from "@cairn/messages";
import { useState } from "preact/hooks";
import { useBusy } from "./shared.tsx";

/** For gates and machines that cannot ask: how much they may take at most. */
export function OpenScreen(props: {
  readonly currency: Currency;
  readonly atOnceMinor: bigint;
  readonly onPay: (maximumMinor: bigint) => Promise<void>;
  readonly onBack: () => void;
}) {
  const { currency, atOnceMinor } = props;
  const [text, setText] = useState("");
  const [isBusy, run] = useBusy();
  const minor = minorOf(text, currency);
  const isFit = minor > 0n && minor <= atOnceMinor;
  return (
    <Screen
      title={t("open.title")}
      onBack={props.onBack}
      actions={
        <Button kind="main" disabled={!isFit || isBusy} onClick={() => run(() => props.onPay(minor))}>
          {t("open.show")}
        </Button>
      }
    >
      <p>{t("open.explain")}</p>
      <label class="field">
        {t("open.maximum")} ({currency})
        <input
          name="maximum"
          inputMode="decimal"
          autocomplete="off"
          dir="ltr"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class="hint">{t("home.at-once", { amount: formatMoney(atOnceMinor, currency) })}</span>
      </label>
    </Screen>
  );
}

function minorOf(text: string, currency: Currency): bigint {
  try {
    return parseAmount(text.trim().replace(",", "."), currency).minor;
  } catch (error) {
    if (error instanceof AmountError) return 0n;
    throw error;
  }
}
