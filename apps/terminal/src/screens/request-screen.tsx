import { Button, formatMoney, minutesAndSeconds, Notice, QrCode, Screen, t, useSecondsLeft } from "@cairn/app-kit";
import type { MessageId } from "@cairn/messages";
import { useSession } from "./session-context.ts";

export type OpenRequest = {
  readonly requestId: MessageId;
  readonly codeText: string;
  readonly minor: bigint;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly orderReference: string | undefined;
  /** Found open when the app was started. */
  readonly isResumed: boolean;
};

type RequestScreenProps = {
  readonly request: OpenRequest;
  readonly onScan: () => void;
  readonly onCancel: () => void;
  readonly onRenew: () => void;
};

/** The request for the payer's camera, with the time that is left for it. */
export function RequestScreen({ request, onScan, onCancel, onRenew }: RequestScreenProps) {
  const { view } = useSession();
  const leftSeconds = useSecondsLeft(request.expiresAt);
  const amount = formatMoney(request.minor, view.standing.payee.terms.currency);
  const isExpired = leftSeconds === 0;
  return (
    <Screen
      title={t("request.title")}
      actions={
        <>
          {/* A payment made before the request expired can still be scanned. */}
          <Button kind={isExpired ? "plain" : "main"} onClick={onScan}>
            {t("action.scan")}
          </Button>
          {isExpired && (
            <Button kind="main" onClick={onRenew}>
              {t("request.renew")}
            </Button>
          )}
          <Button onClick={onCancel}>{t("action.cancel")}</Button>
        </>
      }
    >
      {request.isResumed && <Notice kind="info">{t("request.resumed")}</Notice>}
      <p class="amount">{amount}</p>
      {request.orderReference !== undefined && <p class="hint offer">{request.orderReference}</p>}
      {isExpired ? (
        <Notice kind="warn">{t("request.expired")}</Notice>
      ) : (
        <>
          <QrCode text={request.codeText} label={t("request.code", { amount })} />
          <p class="hint offer" role="timer">
            {t("request.left", { time: minutesAndSeconds(leftSeconds) })}
          </p>
        </>
      )}
    </Screen>
  );
}
