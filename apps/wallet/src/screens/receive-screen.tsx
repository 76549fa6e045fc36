import { AmountField, Button, formatMoney, Notice, Screen, t } from "@cairn/app-kit";
import { useState } from "preact/hooks";
import type { ReceiverView } from "../session/receiver.ts";
import { useBusy } from "./shared.tsx";

/** Bytes of an order reference, by the specification of payment requests. */
const MAXIMUM_REFERENCE_BYTES = 32;

export type Asking = { readonly minor: bigint; readonly note: string };

/** How much is asked for, and what for. `onAsk` gives the sentence of a refusal. */
export function ReceiveScreen(props: {
  readonly receiver: ReceiverView | undefined;
  readonly onAsk: (asking: Asking) => Promise<string | undefined>;
  readonly onSetUp: () => void;
  readonly isSettingUp: boolean;
  readonly problem: string | undefined;
  readonly onBack: () => void;
}) {
  const { receiver } = props;
  const [minor, setMinor] = useState(0n);
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isBusy, run] = useBusy();
  if (receiver === undefined) {
    return (
      <Screen
        title={t("receive.title")}
        onBack={props.onBack}
        actions={
          <Button kind="main" disabled={props.isSettingUp} onClick={props.onSetUp}>
            {t("receive.set-up")}
          </Button>
        }
      >
        <p>{t("receive.first")}</p>
        {props.problem !== undefined && <Notice kind="warn">{props.problem}</Notice>}
      </Screen>
    );
  }
  const { terms } = receiver.standing.payee;
  const isTooLong = new TextEncoder().encode(note.trim()).length > MAXIMUM_REFERENCE_BYTES;
  return (
    <Screen
      title={t("receive.title")}
      onBack={props.onBack}
      actions={
        <Button
          kind="main"
          disabled={minor === 0n || isTooLong || isBusy}
          onClick={() => run(async () => setProblem(await props.onAsk({ minor, note: note.trim() })))}
        >
          {t("receive.ask")}
        </Button>
      }
    >
      <p>{t("receive.explain", { name: terms.name })}</p>
      <AmountField
        label={t("receive.amount")}
        hint={t("receive.cap", { amount: formatMoney(terms.perPaymentCapMinor, terms.currency) })}
        currency={terms.currency}
        maximumMinor={terms.perPaymentCapMinor}
        initialMinor={0n}
        onChange={setMinor}
      />
      <label class="field">
        {t("receive.note")}
        <input value={note} autocomplete="off" onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      {isTooLong && <Notice kind="warn">{t("receive.note-too-long")}</Notice>}
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
    </Screen>
  );
}
