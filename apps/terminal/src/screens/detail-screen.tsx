import {
  AmountField,
  Button,
  Fact,
  Facts,
  formatMoney,
  formatTime,
  Notice,
  QrCode,
  refusalText,
  Screen,
  saveFile,
  t,
} from "@cairn/app-kit";
import type { Acceptance, HistoryEntry } from "@cairn/collect";
import { type MessageId, sentenceFor, toHex } from "@cairn/messages";
import { useState } from "preact/hooks";
import { entryView } from "./entry-view.ts";
import { RefundPanel } from "./refund-panel.tsx";
import { useSession } from "./session-context.ts";

type DetailScreenProps = { readonly entry: HistoryEntry; readonly onBack: () => void };

/** One sale with its proof, its receipt and what may still be done about it. */
export function DetailScreen({ entry, onBack }: DetailScreenProps) {
  const { view } = useSession();
  const { minor, state, tone, note } = entryView(entry);
  return (
    <Screen title={t("detail.title")} onBack={onBack}>
      <p class="amount">{formatMoney(minor, view.standing.payee.terms.currency)}</p>
      <p>
        <span class={`pill ${tone}`}>{t(`state.${state}`)}</span>
      </p>
      <Facts>
        <Fact name={t("detail.time")} value={formatTime(entry.at)} />
        {note !== undefined && entry.kind !== "refused" && <Fact name={t("detail.order")} value={note} />}
        {entry.kind === "payment" && <PaymentFacts acceptance={entry.acceptance} />}
        {entry.kind === "refused" && (
          <Fact
            name={t("verdict.refused")}
            value={refusalText({ code: entry.refused.code, sentence: sentenceFor(entry.refused.code) })}
          />
        )}
      </Facts>
      {entry.kind === "payment" && <PaymentActions acceptance={entry.acceptance} />}
      {entry.kind === "payment" && entry.state === "settled" && entry.acceptance.guestIssuerId === undefined && (
        <RefundPanel paymentId={entry.acceptance.paymentId} />
      )}
    </Screen>
  );
}

function PaymentFacts({ acceptance }: { readonly acceptance: Acceptance }) {
  const { risk, answer, paymentId, certificateId } = acceptance;
  const atRisk = risk === undefined ? "" : `${t("verdict.at-risk")}. ${t(`risk.${risk}`)}`;
  return (
    <>
      <Fact name={t("detail.risk")} value={risk === undefined ? t("verdict.guaranteed") : atRisk} />
      {answer?.code !== undefined && (
        <Fact
          name={t("detail.answer")}
          value={refusalText({ code: answer.code, sentence: answer.sentence ?? answer.code })}
        />
      )}
      <Fact name={t("detail.payment")} value={paymentId} />
      <Fact name={t("detail.certificate")} value={certificateId} />
    </>
  );
}

function PaymentActions({ acceptance }: { readonly acceptance: Acceptance }) {
  const { session, view } = useSession();
  const [receiptCode, setReceiptCode] = useState<string>();
  const [captureMinor, setCaptureMinor] = useState(0n);
  const [problem, setProblem] = useState<string>();
  const { currency } = view.standing.payee.terms;
  const { paymentId, amountMinor, takenMinor } = acceptance;
  const isUncaptured = takenMinor === undefined && receiptCode === undefined;

  async function capture(): Promise<void> {
    const outcome = await session.terminal.capture(paymentId, captureMinor);
    await session.refresh();
    if (outcome.kind === "refused") setProblem(refusalText(outcome.refusal));
    else {
      setProblem(undefined);
      setReceiptCode(outcome.receiptCode);
    }
  }

  return (
    <section class="panel">
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
      {receiptCode !== undefined && <QrCode text={receiptCode} label={t("verdict.receipt")} />}
      {isUncaptured && (
        <>
          <AmountField
            label={t("till.amount")}
            currency={currency}
            maximumMinor={amountMinor}
            initialMinor={0n}
            onChange={setCaptureMinor}
          />
          <Button kind="main" disabled={captureMinor === 0n} onClick={capture}>
            {t("detail.capture")}
          </Button>
        </>
      )}
      {takenMinor !== undefined && receiptCode === undefined && (
        <Button onClick={async () => setReceiptCode(await session.terminal.receiptCode(paymentId))}>
          {t("action.show-receipt")}
        </Button>
      )}
      <Button onClick={() => saveFile(proofName(paymentId), "application/json", proofOf(acceptance))}>
        {t("detail.proof")}
      </Button>
    </section>
  );
}

const proofName = (paymentId: MessageId): string => `cairn-payment-${paymentId.slice(0, 12)}.json`;

/** The signed bytes, which whoever has the issuer's public key can verify. */
function proofOf({ paymentId, certificate, payment, capture, acceptedAt }: Acceptance): Uint8Array {
  const proof = {
    paymentId,
    acceptedAt: new Date(acceptedAt * 1000).toISOString(),
    certificate: toHex(certificate),
    payment: toHex(payment),
    capture: capture === undefined ? null : toHex(capture),
  };
  return new TextEncoder().encode(`${JSON.stringify(proof, null, 2)}\n`);
}
