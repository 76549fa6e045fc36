import { Button, formatMoney, Screen, t, Verdict } from "@cairn/app-kit";
import type { Currency } from "@cairn/messages";
import type { ReceiptAccepted, VoidAccepted } from "@cairn/pay";

/** What the payee said: taken, or given back. */
export function ReceiptScreen(props: {
  readonly said: ReceiptAccepted | VoidAccepted;
  readonly currency: Currency;
  readonly onDone: () => void;
}) {
  const { said, currency } = props;
  const isReceipt = said.kind === "receipted";
  const money = formatMoney(isReceipt ? said.takenMinor : said.amountMinor, currency);
  return (
    <Screen
      title={t(isReceipt ? "receipt.title" : "void.title")}
      actions={
        <Button kind="main" onClick={props.onDone}>
          {t("done")}
        </Button>
      }
    >
      <Verdict kind="good" title={t(isReceipt ? "receipt.verdict" : "void.verdict")}>
        <p class="amount">{money}</p>
        <p class="payee">{said.payeeName}</p>
        <p class="hint">{t(isReceipt ? "receipt.text" : "void.text")}</p>
      </Verdict>
    </Screen>
  );
}
