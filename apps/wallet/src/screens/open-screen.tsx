import { AmountField, Button, formatMoney, Screen, t } from "@cairn/app-kit";
import type { Currency } from "@cairn/messages";
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
  const [minor, setMinor] = useState(0n);
  const [isBusy, run] = useBusy();
  return (
    <Screen
      title={t("open.title")}
      onBack={props.onBack}
      actions={
        <Button kind="main" disabled={minor === 0n || isBusy} onClick={() => run(() => props.onPay(minor))}>
          {t("open.show")}
        </Button>
      }
    >
      <p>{t("open.explain")}</p>
      <AmountField
        label={t("open.maximum")}
        hint={t("home.at-once", { amount: formatMoney(atOnceMinor, currency) })}
        currency={currency}
        maximumMinor={atOnceMinor}
        initialMinor={0n}
        onChange={setMinor}
      />
    </Screen>
  );
}
