import { Button, QrCode, Screen, t } from "@cairn/app-kit";

type VoidScreenProps = { readonly codeText: string; readonly onNext: () => void };

/** A cancelled sale: a payer who has made a payment code already scans this void and has the limit back. */
export function VoidScreen({ codeText, onNext }: VoidScreenProps) {
  return (
    <Screen
      title={t("void.done")}
      actions={
        <Button kind="main" onClick={onNext}>
          {t("action.next")}
        </Button>
      }
    >
      <p>{t("void.explain")}</p>
      <QrCode text={codeText} label={t("void.code")} />
    </Screen>
  );
}
