import {
  adviceFor,
  Button,
  formatMoney,
  minutesAndSeconds,
  Notice,
  QrCode,
  refusalText,
  Screen,
  t,
  useSecondsLeft,
  Verdict,
} from "@cairn/app-kit";
import type { AcceptanceOutcome } from "@cairn/collect";
import type { Currency, MessageId, PaymentRequest } from "@cairn/messages";
import { useBusy } from "./shared.tsx";

export type OpenRequest = {
  readonly requestId: MessageId;
  readonly request: PaymentRequest;
  readonly codeText: string;
};

/** The request for the payer's camera, with the time that is left for it. */
export function AskScreen(props: {
  readonly asked: OpenRequest;
  readonly onScan: () => void;
  readonly onCancel: () => Promise<void>;
}) {
  const { request, codeText } = props.asked;
  const [isBusy, run] = useBusy();
  const left = useSecondsLeft(request.expiresAt);
  const money = formatMoney(request.amountMinor, request.currency);
  return (
    <Screen
      title={t("ask.title")}
      actions={
        <>
          {/* What was paid before the request expired can still be scanned. */}
          <Button kind="main" onClick={props.onScan}>
            {t("ask.scan")}
          </Button>
          <Button disabled={isBusy} onClick={() => run(props.onCancel)}>
            {t("cancel")}
          </Button>
        </>
      }
    >
      <p class="amount">{money}</p>
      {request.orderReference !== undefined && <p class="offer">{request.orderReference}</p>}
      {left === 0 ? (
        <Notice kind="warn">{t("ask.expired")}</Notice>
      ) : (
        <>
          <QrCode text={codeText} label={t("ask.code", { amount: money })} />
          <p class="hint offer" role="timer">
            {t("ask.left", { time: minutesAndSeconds(left) })}
          </p>
        </>
      )}
    </Screen>
  );
}

/** Received or not, who carries the risk, and the receipt for the payer. */
export function ReceivedScreen(props: {
  readonly outcome: AcceptanceOutcome;
  readonly currency: Currency;
  readonly onScanAgain: (() => void) | undefined;
  readonly onDone: () => void;
}) {
  const { outcome, onScanAgain } = props;
  if (outcome.kind === "refused") {
    const isRepeated = outcome.earlier !== undefined;
    return (
      <Screen
        title={t("ask.scan")}
        actions={
          <>
            {!isRepeated && onScanAgain !== undefined && (
              <Button kind="main" onClick={onScanAgain}>
                {t("scan.again")}
              </Button>
            )}
            <Button onClick={props.onDone}>{t("done")}</Button>
          </>
        }
      >
        <Verdict kind="bad" title={t(isRepeated ? "received.repeated" : "refused.verdict")}>
          <p class="reason">{refusalText(outcome.refusal)}</p>
          <p>{t(`advice.${adviceFor(outcome.refusal.code)}`)}</p>
          <p class="hint" dir="ltr">
            {outcome.refusal.code}
          </p>
        </Verdict>
      </Screen>
    );
  }
  const { takenMinor, amountMinor, risk } = outcome.acceptance;
  return (
    <Screen
      title={t("receive.title")}
      actions={
        <Button kind="main" onClick={props.onDone}>
          {t("done")}
        </Button>
      }
    >
      <Verdict kind="good" title={t("received.verdict")}>
        <p class="amount">{formatMoney(takenMinor ?? amountMinor, props.currency)}</p>
        <p class="guarantee" data-guaranteed={risk === undefined}>
          {t(risk === undefined ? "received.guaranteed" : "received.at-risk")}
        </p>
        {risk !== undefined && <p class="reason">{t(`risk.${risk}`)}</p>}
        <p class="hint spare">{t("received.text")}</p>
      </Verdict>
      {outcome.receiptCode !== undefined && (
        <section class="receipt">
          <h2>{t("received.receipt")}</h2>
          <QrCode text={outcome.receiptCode} label={t("received.receipt")} />
        </section>
      )}
    </Screen>
  );
}

/** A request that was given up: a payer who has made a payment code already scans this and has the limit back. */
export function GivenUpScreen({ codeText, onDone }: { readonly codeText: string; readonly onDone: () => void }) {
  return (
    <Screen
      title={t("given-up.title")}
      actions={
        <Button kind="main" onClick={onDone}>
          {t("done")}
        </Button>
      }
    >
      <p>{t("given-up.explain")}</p>
      <QrCode text={codeText} label={t("given-up.code")} />
    </Screen>
  );
}
