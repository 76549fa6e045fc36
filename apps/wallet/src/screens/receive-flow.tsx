import { playVerdict, refusalText, t, useWayBack } from "@cairn/app-kit";
import type { AcceptanceOutcome } from "@cairn/collect";
import { amount, type Currency } from "@cairn/messages";
import { useState } from "preact/hooks";
import type { Wallet } from "../session/open-wallet.ts";
import type { ReceiverView } from "../session/receiver.ts";
import type { Syncing } from "../session/use-sync.ts";
import { AskScreen, GivenUpScreen, type OpenRequest, ReceivedScreen } from "./ask-screens.tsx";
import { type Asking, ReceiveScreen } from "./receive-screen.tsx";
import { ScanScreen } from "./scan-screen.tsx";

export type ReceiveStep =
  | { readonly at: "amount" }
  | { readonly at: "ask" | "scan"; readonly asked: OpenRequest }
  | { readonly at: "received"; readonly outcome: AcceptanceOutcome; readonly asked: OpenRequest | undefined }
  | { readonly at: "given-up"; readonly codeText: string };

/** From the amount to the receipt. What happened is in the journal; this only says which part of it is shown. */
export function ReceiveFlow(props: {
  readonly wallet: Wallet;
  readonly view: ReceiverView | undefined;
  readonly currency: Currency;
  readonly first: ReceiveStep;
  readonly sync: Syncing;
  readonly onDone: () => void;
}) {
  const { view, currency, sync } = props;
  const { receiver, step: current } = props.wallet;
  const { terminal } = receiver;
  const [step, setStep] = useState<ReceiveStep>(props.first);

  function done(): void {
    current.leave();
    props.onDone();
  }

  async function ask({ minor, note }: Asking): Promise<string | undefined> {
    const reference = note === "" ? {} : { orderReference: note };
    const asked = await terminal.charge({ amount: amount(minor, currency), ...reference });
    if (asked.kind === "refused") return refusalText(asked.refusal);
    await current.showRequest(asked.requestId);
    setStep({ at: "ask", asked });
    return undefined;
  }

  function tell(outcome: AcceptanceOutcome, asked: OpenRequest | undefined): void {
    playVerdict(outcome.kind);
    setStep({ at: "received", outcome, asked });
  }

  async function giveUp({ requestId }: OpenRequest): Promise<void> {
    const outcome = await terminal.voidRequest(requestId);
    // Paid in the meantime: it stands in the history.
    if (outcome.kind === "refused") return done();
    current.leave();
    setStep({ at: "given-up", codeText: outcome.codeText });
  }

  useWayBack(wayBack());
  /** What was asked for is given up by its own button alone, not by a swipe that somebody did not mean. */
  function wayBack(): () => void {
    if (step.at === "scan") return () => setStep({ at: "ask", asked: step.asked });
    return step.at === "ask" ? () => undefined : done;
  }

  switch (step.at) {
    case "amount":
      return (
        <ReceiveScreen
          receiver={view}
          onAsk={ask}
          onSetUp={() => sync.start({ renew: false })}
          isSettingUp={sync.isRunning}
          problem={receiver.refusal() ?? sync.failure}
          onBack={done}
        />
      );
    case "ask": {
      const { asked } = step;
      return <AskScreen asked={asked} onScan={() => setStep({ at: "scan", asked })} onCancel={() => giveUp(asked)} />;
    }
    case "scan": {
      const { asked } = step;
      return (
        <ScanScreen
          title={t("ask.scan")}
          onCode={async (text) => {
            tell(await terminal.accept(text), asked);
            return undefined;
          }}
          onBack={() => setStep({ at: "ask", asked })}
        />
      );
    }
    case "received": {
      const { asked } = step;
      return (
        <ReceivedScreen
          outcome={step.outcome}
          currency={currency}
          onScanAgain={asked === undefined ? undefined : () => setStep({ at: "scan", asked })}
          onDone={done}
        />
      );
    }
    case "given-up":
      return <GivenUpScreen codeText={step.codeText} onDone={done} />;
  }
}
