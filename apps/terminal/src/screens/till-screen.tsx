import { Button, formatMoney, Notice, t } from "@cairn/app-kit";
import { useEffect, useRef, useState } from "preact/hooks";
import { type KeypadKey, keyFromKeyboard, pressKey } from "../till/keypad.ts";
import { useSession } from "./session-context.ts";
import { clockOf, StandingStrip } from "./standing-strip.tsx";

const KEYS: readonly KeypadKey[] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "0", "erase"];
/** Bytes of an order reference, by the specification of payment requests. */
const MAXIMUM_REFERENCE_BYTES = 32;

type Sale = { readonly minor: bigint; readonly order: string };

/** The amount of a sale, by touch or keyboard. `onCharge` gives the sentence of a refusal. */
export function TillScreen({ onCharge }: { readonly onCharge: (sale: Sale) => Promise<string | undefined> }) {
  const { view } = useSession();
  const { perPaymentCapMinor, currency } = view.standing.payee.terms;
  const [minor, setMinor] = useState(0n);
  // Keys can come faster than the screen is drawn: what is charged is what was typed, not what was drawn last.
  const typed = useRef(0n);
  const [order, setOrder] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const isOrderTooLong = new TextEncoder().encode(order.trim()).length > MAXIMUM_REFERENCE_BYTES;
  const canCharge = !isBusy && !isOrderTooLong && clockOf(view.standing) !== "far-behind";

  function press(key: KeypadKey): void {
    typed.current = pressKey(typed.current, key, perPaymentCapMinor);
    setMinor(typed.current);
  }

  async function charge(): Promise<void> {
    if (typed.current === 0n || !canCharge) return;
    setBusy(true);
    setProblem(await onCharge({ minor: typed.current, order: order.trim() }));
    setBusy(false);
  }

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      const key = keyFromKeyboard(event.key);
      if (key === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      const isTyping = event.target instanceof HTMLInputElement;
      // A focused button answers to Enter itself.
      if (key === "enter" && !(event.target instanceof HTMLButtonElement)) void charge();
      if (key !== "enter" && !isTyping) press(key);
    }
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  return (
    <main class="screen till">
      <StandingStrip />
      <div class="content">
        <p class="till-amount">
          <span class="label">{t("till.amount")}</span>
          <output class="amount">{formatMoney(minor, currency)}</output>
          <span class="hint">{t("till.cap", { amount: formatMoney(perPaymentCapMinor, currency) })}</span>
        </p>
        {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
        {isOrderTooLong && <Notice kind="warn">{t("till.order-too-long")}</Notice>}
        {/* Digits run from left to right in every language. */}
        <fieldset class="keypad" aria-label={t("till.keypad")} dir="ltr">
          {KEYS.map((key) => (
            <button
              key={key}
              type="button"
              aria-label={key === "erase" ? t("till.erase") : undefined}
              onClick={() => press(key)}
            >
              {key === "erase" ? "⌫" : key}
            </button>
          ))}
        </fieldset>
        <label class="field">
          {t("till.order")}
          <input value={order} autocomplete="off" onInput={(event) => setOrder(event.currentTarget.value)} />
        </label>
      </div>
      <div class="actions">
        <Button kind="main" disabled={minor === 0n || !canCharge} onClick={charge}>
          {t("action.charge")}
        </Button>
      </div>
    </main>
  );
}
