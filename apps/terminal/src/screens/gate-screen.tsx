import { AmountField, adviceFor, Button, formatMoney, playVerdict, refusalText, Scanner, t } from "@cairn/app-kit";
import type { AcceptanceOutcome } from "@cairn/collect";
import { useEffect, useRef, useState } from "preact/hooks";
import { verdictOf } from "../till/verdict.ts";
import { useSession } from "./session-context.ts";
import { clockOf, StandingStrip } from "./standing-strip.tsx";
import { VerdictSign } from "./verdict-sign.tsx";

/** Long enough to be seen by somebody who walks, short enough for a queue. */
const VERDICT_MS = 1_800;
const MODES = ["fixed", "capped"] as const;

/** A gate is set up once; then nobody touches it. */
export function GateScreen({ onStart }: { readonly onStart: () => void }) {
  const { session, view } = useSession();
  const { gate } = view.settings;
  const { currency, perPaymentCapMinor } = view.standing.payee.terms;
  const fareMinor = BigInt(gate.fareMinor);
  const isFixed = gate.mode === "fixed";
  return (
    <main class="screen">
      <StandingStrip />
      <div class="content">
        <h2>{t("gate.title")}</h2>
        <p>{t("gate.explain")}</p>
        <fieldset class="choices">
          <legend>{t("gate.fare")}</legend>
          {MODES.map((mode) => (
            <label key={mode}>
              <input
                type="radio"
                name="gate-mode"
                checked={gate.mode === mode}
                onChange={() => session.change({ gate: { ...gate, mode } })}
              />
              {t(`gate.mode-${mode}`)}
            </label>
          ))}
        </fieldset>
        {isFixed && (
          <AmountField
            label={t("gate.fare")}
            hint={t("gate.fare-hint")}
            currency={currency}
            maximumMinor={perPaymentCapMinor}
            initialMinor={fareMinor}
            onChange={(minor) => void session.change({ gate: { ...gate, fareMinor: String(minor) } })}
          />
        )}
      </div>
      <div class="actions">
        <Button
          kind="main"
          disabled={(isFixed && fareMinor === 0n) || clockOf(view.standing) === "far-behind"}
          onClick={onStart}
        >
          {t("action.start-gate")}
          {isFixed && fareMinor > 0n && ` · ${formatMoney(fareMinor, currency)}`}
        </Button>
      </div>
    </main>
  );
}

/** One code after another, each told in a sign, a word, a colour and a sound. */
export function RunningGate({ onStop }: { readonly onStop: () => void }) {
  const { session, view } = useSession();
  const [shown, setShown] = useState<AcceptanceOutcome>();
  const [passed, setPassed] = useState(0);
  const isBusy = useRef(false);

  useEffect(() => {
    if (shown === undefined) return;
    const timer = setTimeout(() => setShown(undefined), VERDICT_MS);
    return () => clearTimeout(timer);
  }, [shown]);

  async function take(text: string): Promise<void> {
    if (isBusy.current) return;
    isBusy.current = true;
    try {
      const outcome = await session.offerAtGate(text);
      if (outcome.kind === "accepted") setPassed((count) => count + 1);
      if (view.settings.sound) playVerdict(outcome.kind);
      setShown(outcome);
    } finally {
      isBusy.current = false;
    }
  }

  return (
    <main class="screen gate">
      <h1 class="visually-hidden">{t("gate.title")}</h1>
      <div class="content">
        <div class="gate-message" role="alert">
          {shown === undefined ? <p class="gate-ready">{t("gate.ready")}</p> : <GateVerdict outcome={shown} />}
        </div>
        <Scanner label={t("gate.ready")} onCode={({ text }) => void take(text)} />
      </div>
      <div class="actions">
        <p class="hint" data-passed={passed}>
          {t("gate.count", { count: passed })}
        </p>
        <Button onClick={onStop}>{t("action.stop-gate")}</Button>
      </div>
    </main>
  );
}

const WORDS = { accepted: "gate.pass", refused: "gate.stop", repeated: "gate.already" } as const;

function GateVerdict({ outcome }: { readonly outcome: AcceptanceOutcome }) {
  const { view } = useSession();
  const kind = verdictOf(outcome);
  const { currency } = view.standing.payee.terms;
  return (
    <div class={`outcome-head outcome-${kind}`} data-verdict={kind}>
      <VerdictSign kind={kind} />
      <p class="gate-word">{t(WORDS[kind])}</p>
      {outcome.kind === "accepted" ? (
        <p class="amount">
          {outcome.acceptance.takenMinor === undefined && `${t("verdict.maximum")} `}
          {formatMoney(outcome.acceptance.takenMinor ?? outcome.acceptance.amountMinor, currency)}
        </p>
      ) : (
        <>
          <p class="reason">{refusalText(outcome.refusal)}</p>
          <p class="advice">{t(`advice.${adviceFor(outcome.refusal.code)}`)}</p>
        </>
      )}
    </div>
  );
}
