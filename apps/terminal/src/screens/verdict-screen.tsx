import { adviceFor, Button, formatMoney, formatTime, playVerdict, QrCode, refusalText, t } from "@cairn/app-kit";
import type { Acceptance, AcceptanceOutcome } from "@cairn/collect";
import { useEffect, useRef } from "preact/hooks";
import { verdictOf } from "../till/verdict.ts";
import { useSession } from "./session-context.ts";
import { VerdictSign } from "./verdict-sign.tsx";

type VerdictScreenProps = {
  readonly outcome: AcceptanceOutcome;
  readonly onNext: () => void;
  readonly onScanAgain: () => void;
};

/** Big and unmistakable: a sign, a word, a colour and a sound, then who carries the risk, then what to do. */
export function VerdictScreen({ outcome, onNext, onScanAgain }: VerdictScreenProps) {
  const { view } = useSession();
  const heading = useRef<HTMLHeadingElement>(null);
  const kind = verdictOf(outcome);
  const isRefused = kind === "refused";
  useEffect(() => {
    heading.current?.focus();
    if (view.settings.sound) playVerdict(outcome.kind);
  }, [outcome]);
  return (
    <main class={`screen outcome outcome-${kind}`} data-verdict={kind}>
      <div class="content">
        <div class="outcome-head" role="alert">
          <VerdictSign kind={kind} />
          <h1 ref={heading} tabIndex={-1}>
            {t(`verdict.${kind}`)}
          </h1>
          {outcome.kind === "accepted" ? (
            <Accepted acceptance={outcome.acceptance} />
          ) : (
            <>
              <p class="reason">{refusalText(outcome.refusal)}</p>
              {outcome.earlier !== undefined && (
                <p>{t("verdict.accepted-at", { time: formatTime(outcome.earlier.acceptedAt) })}</p>
              )}
              <p class="advice">{t(`advice.${adviceFor(outcome.refusal.code)}`)}</p>
              <p class="hint">{t("verdict.code", { code: outcome.refusal.code })}</p>
            </>
          )}
        </div>
        {outcome.kind === "accepted" && outcome.receiptCode !== undefined && (
          <section class="receipt">
            <h2>{t("verdict.receipt")}</h2>
            <QrCode text={outcome.receiptCode} label={t("verdict.receipt")} />
            <p class="hint spare">{t("verdict.receipt-optional")}</p>
          </section>
        )}
      </div>
      <div class="actions">
        {isRefused && (
          <Button kind="main" onClick={onScanAgain}>
            {t("action.retry")}
          </Button>
        )}
        <Button kind={isRefused ? "plain" : "main"} onClick={onNext}>
          {t("action.next")}
        </Button>
      </div>
    </main>
  );
}

function Accepted({ acceptance }: { readonly acceptance: Acceptance }) {
  const { view } = useSession();
  const { currency } = view.standing.payee.terms;
  const { takenMinor, amountMinor, risk } = acceptance;
  return (
    <>
      <p class="amount">
        {takenMinor === undefined && `${t("verdict.maximum")} `}
        {formatMoney(takenMinor ?? amountMinor, currency)}
      </p>
      <p class="guarantee" data-guaranteed={risk === undefined}>
        {t(risk === undefined ? "verdict.guaranteed" : "verdict.at-risk")}
      </p>
      {risk !== undefined && <p class="reason">{t(`risk.${risk}`)}</p>}
    </>
  );
}
