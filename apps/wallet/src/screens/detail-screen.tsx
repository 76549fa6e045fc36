import { Button, Fact, Facts, formatMoney, formatTime, payersRefusalText, Screen, saveFile, t } from "@cairn/app-kit";
import type { HistoryEntry } from "@cairn/pay";
import { payeeName, StatePill, shownMinor, useBusy } from "./shared.tsx";

const SETTLED_FOR_GOOD: readonly string[] = ["settled", "refused", "released"];

/** One payment: how far it has come, what that means, and its proof. */
export function DetailScreen(props: {
  readonly entry: HistoryEntry;
  readonly onShowAgain: () => Promise<void>;
  readonly onProof: () => Promise<string | undefined>;
  readonly onBack: () => void;
}) {
  const { entry } = props;
  const { amount, state, outcome, orderReference, preparedAt, paymentId } = entry;
  const [isBusy, run] = useBusy();

  async function saveProof(): Promise<void> {
    const proof = await props.onProof();
    if (proof !== undefined)
      saveFile(`payment-${paymentId.slice(0, 12)}.json`, "application/json", new TextEncoder().encode(proof));
  }

  return (
    <Screen
      title={payeeName(entry)}
      onBack={props.onBack}
      actions={
        <>
          {!SETTLED_FOR_GOOD.includes(state) && (
            <Button disabled={isBusy} onClick={() => run(props.onShowAgain)}>
              {t("detail.again")}
            </Button>
          )}
          <Button disabled={isBusy} onClick={() => run(saveProof)}>
            {t("detail.proof")}
          </Button>
        </>
      }
    >
      <p class="amount">{formatMoney(shownMinor(entry), amount.currency)}</p>
      <section class="panel">
        <p>
          <StatePill state={state} />
        </p>
        <p>{t(`state.${state}.means`)}</p>
        {outcome?.code !== undefined && (
          <p class="hint">{payersRefusalText({ code: outcome.code, sentence: outcome.sentence })}</p>
        )}
        <Facts>
          <Fact name={t("detail.time")} value={formatTime(preparedAt)} />
          {orderReference !== undefined && <Fact name={t("detail.reference")} value={orderReference} />}
          <Fact name={t("detail.receipt")} value={t(entry.hasReceipt ? "detail.yes" : "detail.no")} />
          <Fact name={t("detail.id")} value={paymentId} />
        </Facts>
      </section>
    </Screen>
  );
}
