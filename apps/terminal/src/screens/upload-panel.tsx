import { Button, formatMoney, formatTime, refusalText, t, useOnline } from "@cairn/app-kit";
import type { UploadStatus } from "../session/terminal-session.ts";
import { useSession } from "./session-context.ts";

/** What is stored, how much more fits, when it last went home, and the button that takes it there. */
export function UploadPanel() {
  const { session, view } = useSession();
  const isOnline = useOnline();
  const { stored, storableMinor, payee } = view.standing;
  const { currency, storedTotalCapMinor } = payee.terms;
  const { lastUploadAt } = view.settings;
  const usedShare = Number((stored.totalMinor * 1000n) / storedTotalCapMinor) / 1000;
  return (
    <section class="panel" aria-label={t("sync.title")}>
      <h2>{t("sync.stored")}</h2>
      <p class="figure" data-stored={stored.count}>
        {stored.count === 0
          ? t("sync.nothing")
          : t("sync.count", { count: stored.count, amount: formatMoney(stored.totalMinor, currency) })}
      </p>
      <meter min={0} max={1} high={0.8} optimum={0} value={usedShare} aria-label={t("sync.stored")} />
      <p class="hint">{t("sync.room", { amount: formatMoney(storableMinor, currency) })}</p>
      <p role="status" data-upload={view.upload.kind}>
        {/* What came in since makes an earlier upload no news. */}
        {uploadWords(view.upload.kind === "done" && stored.count > 0 ? { kind: "idle" } : view.upload, isOnline)}
      </p>
      <p class="hint">
        {lastUploadAt === undefined ? t("sync.never") : t("sync.last", { time: formatTime(lastUploadAt) })}
      </p>
      <Button kind="main" disabled={view.upload.kind === "running"} onClick={() => session.upload()}>
        {t("action.upload")}
      </Button>
    </section>
  );
}

function uploadWords(upload: UploadStatus, isOnline: boolean): string {
  switch (upload.kind) {
    case "running":
      return upload.step === "uploading" ? t("sync.uploading", { count: upload.received }) : t("sync.asking");
    case "failed":
      return t("sync.failed", { reason: refusalText(upload.reason) });
    case "done": {
      const [refusal] = upload.brought.listRefusals;
      return refusal === undefined ? t("sync.done") : refusalText(refusal);
    }
    case "idle":
      return isOnline ? "" : t("sync.offline");
  }
}
