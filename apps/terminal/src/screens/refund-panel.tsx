import { AmountField, Button, formatMoney, Notice, refusalText, t, useOnline } from "@cairn/app-kit";
import { ClientError, type TillRefundAnswer } from "@cairn/issuer/client";
import type { MessageId } from "@cairn/messages";
import { useEffect, useState } from "preact/hooks";
import { useSession } from "./session-context.ts";

/** Gives a settled sale back, in full or in part. Only the issuer knows how it stands, so it is asked first. */
export function RefundPanel({ paymentId }: { readonly paymentId: MessageId }) {
  const { session, view } = useSession();
  const isOnline = useOnline();
  const [standing, setStanding] = useState<TillRefundAnswer>();
  const [minor, setMinor] = useState<bigint>();
  const [done, setDone] = useState<bigint>();
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const money = (amountMinor: bigint): string => formatMoney(amountMinor, view.standing.payee.terms.currency);

  async function run(work: () => Promise<void>): Promise<void> {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      setProblem(refusalText({ code: error.code, sentence: error.message }));
    } finally {
      setBusy(false);
    }
  }

  const ask = (): Promise<void> => run(async () => setStanding(await session.askRefund(paymentId)));
  useEffect(() => {
    if (isOnline) void ask();
  }, [isOnline]);

  async function giveBack(amountMinor: bigint, beforeMinor: bigint): Promise<void> {
    await run(async () => {
      setDone(undefined);
      try {
        setStanding(await session.giveBack({ paymentId, amountMinor, beforeMinor }));
        setDone(amountMinor);
        setMinor(undefined);
      } catch (error) {
        // One that waits for the payee's money has its place already: it is shown as such.
        if (error instanceof ClientError && error.code === "PAYEE_FUNDS_INSUFFICIENT")
          setStanding(await session.askRefund(paymentId));
        throw error;
      }
    });
  }

  const leftMinor = standing === undefined ? 0n : standing.takenMinor - standing.refundedMinor - standing.waitingMinor;
  const { currency } = view.standing.payee.terms;
  return (
    <section class="panel" data-refund={standing === undefined ? "unknown" : `${standing.refundedMinor}`}>
      <h2>{t("refund.title")}</h2>
      <p class="hint">{t("refund.online")}</p>
      {done !== undefined && <Notice kind="good">{t("refund.done", { amount: money(done) })}</Notice>}
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
      {standing !== undefined && (
        <p>{t("refund.standing", { refunded: money(standing.refundedMinor), taken: money(standing.takenMinor) })}</p>
      )}
      {standing !== undefined && standing.waitingMinor > 0n && (
        <Notice kind="warn">
          {t("refund.waiting", { amount: money(standing.waitingMinor) })}{" "}
          <Button disabled={isBusy} onClick={() => giveBack(standing.waitingMinor, standing.refundedMinor)}>
            {t("retry")}
          </Button>
        </Notice>
      )}
      {standing !== undefined && leftMinor > 0n && standing.waitingMinor === 0n && (
        <>
          <AmountField
            key={`${leftMinor}`}
            label={t("refund.amount")}
            currency={currency}
            maximumMinor={leftMinor}
            initialMinor={leftMinor}
            onChange={setMinor}
          />
          <Button
            kind="danger"
            disabled={isBusy || !isOnline || minor === 0n}
            onClick={() => giveBack(minor ?? leftMinor, standing.refundedMinor)}
          >
            {t("refund.give", { amount: money(minor ?? leftMinor) })}
          </Button>
        </>
      )}
      {standing === undefined && isOnline && !isBusy && <Button onClick={ask}>{t("retry")}</Button>}
    </section>
  );
}
