import { Button, formatMoney, formatTime, QrCode, Screen, t } from "@cairn/app-kit";
import type { ShownPayment } from "@cairn/pay";

/** The payment's code, for the payee to scan. It is paid from here on, whatever happens to this device. */
export function CodeScreen(props: {
  readonly shown: ShownPayment & { readonly expiresAt?: number };
  readonly payee: string | undefined;
  readonly onReceipt: () => void;
  readonly onDone: () => void;
}) {
  const { codeText, amount, expiresAt } = props.shown;
  const money = formatMoney(amount.minor, amount.currency);
  return (
    <Screen
      title={props.payee === undefined ? t("code.title-open") : t("code.title", { payee: props.payee })}
      actions={
        <>
          <Button kind="main" onClick={props.onReceipt}>
            {t("code.receipt")}
          </Button>
          <Button onClick={props.onDone}>{t("code.done")}</Button>
        </>
      }
    >
      <p class="amount">{props.payee === undefined ? t("code.at-most", { amount: money }) : money}</p>
      <QrCode text={codeText} label={t("code.label", { amount: money })} />
      {expiresAt === undefined ? (
        <p class="hint offer spare">{t("brightness")}</p>
      ) : (
        <p class="hint offer">{t("code.until", { time: formatTime(expiresAt) })}</p>
      )}
    </Screen>
  );
}
