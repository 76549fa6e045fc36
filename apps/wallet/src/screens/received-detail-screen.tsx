import { Button, Fact, Facts, formatMoney, formatTime, QrCode, refusalText, Screen, saveFile, t } from "@cairn/app-kit";
import type { Currency } from "@cairn/messages";
import { useState } from "preact/hooks";
import { receivedProof } from "../session/proof.ts";
import { type ReceivedEntry, StatePill, useBusy } from "./shared.tsx";

/** One payment that this wallet received. */
export function ReceivedDetailScreen(props: {
  readonly entry: ReceivedEntry;
  readonly currency: Currency;
  readonly onReceipt: () => Promise<string>;
  readonly onBack: () => void;
}) {
  const { acceptance, state, orderReference, at } = props.entry;
  const { paymentId, takenMinor, amountMinor, answer, risk } = acceptance;
  const [receiptCode, setReceiptCode] = useState<string>();
  const [isBusy, run] = useBusy();
  return (
    <Screen
      title={t("received.title")}
      onBack={props.onBack}
      actions={
        <>
          <Button disabled={isBusy} onClick={() => run(async () => setReceiptCode(await props.onReceipt()))}>
            {t("received.show-receipt")}
          </Button>
          <Button
            onClick={() =>
              saveFile(`received-${paymentId.slice(0, 12)}.json`, "application/json", receivedProof(acceptance))
            }
          >
            {t("detail.proof")}
          </Button>
        </>
      }
    >
      <p class="amount">{formatMoney(takenMinor ?? amountMinor, props.currency)}</p>
      {receiptCode !== undefined && <QrCode text={receiptCode} label={t("received.receipt")} />}
      <section class="panel">
        <p>
          <StatePill state={state} />
        </p>
        <p>{t(`received.${state}.means`)}</p>
        {answer?.code !== undefined && (
          <p class="hint">{refusalText({ code: answer.code, sentence: answer.sentence ?? answer.code })}</p>
        )}
        <Facts>
          <Fact name={t("detail.time")} value={formatTime(at)} />
          {orderReference !== undefined && <Fact name={t("detail.reference")} value={orderReference} />}
          <Fact
            name={t("received.risk")}
            value={risk === undefined ? t("received.guaranteed") : `${t("received.at-risk")} ${t(`risk.${risk}`)}`}
          />
          <Fact name={t("detail.id")} value={paymentId} />
        </Facts>
      </section>
    </Screen>
  );
}
