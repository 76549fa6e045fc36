import { Button, formatMoney, formatTime, Notice, Screen, t } from "@cairn/app-kit";
import type { RequestReview } from "@cairn/pay";
import { useBusy } from "./shared.tsx";

/** The ids under which wallets receive (packages/issuer/src/services/receiving.ts): no shop, whatever the name says. */
const PERSON = /^P-[A-Z2-7]{12}$/;

/** Who and how much, large: what the person says yes to. */
export function ReviewScreen(props: {
  readonly review: RequestReview;
  readonly onPay: () => Promise<void>;
  readonly onBack: () => void;
}) {
  const { payeeName, payeeId, amount, orderReference, expiresAt, answeredBefore } = props.review;
  const [isBusy, run] = useBusy();
  const money = formatMoney(amount.minor, amount.currency);
  return (
    <Screen
      title={t("review.title")}
      onBack={props.onBack}
      actions={
        <>
          <Button kind="main" disabled={isBusy} onClick={() => run(props.onPay)}>
            {t(answeredBefore ? "review.again" : "review.pay", { amount: money })}
          </Button>
          <Button onClick={props.onBack}>{t("cancel")}</Button>
        </>
      }
    >
      <section class="panel offer">
        <p class="hint">{t("review.to")}</p>
        <p class="payee">{payeeName}</p>
        <p class="hint">
          {PERSON.test(payeeId) && `${t("review.person")} · `}
          <bdi dir="ltr" class="payee-id">
            {payeeId}
          </bdi>
        </p>
        <p class="amount">{money}</p>
        {orderReference !== undefined && <p>{orderReference}</p>}
        <p class="hint">{t("review.until", { time: formatTime(expiresAt) })}</p>
      </section>
      {answeredBefore && <Notice kind="info">{t("review.answered")}</Notice>}
    </Screen>
  );
}
