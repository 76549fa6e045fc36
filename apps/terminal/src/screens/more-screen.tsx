import {
  Button,
  Fact,
  Facts,
  formatDuration,
  formatMoney,
  formatTime,
  LookChoices,
  Notice,
  type StorageCare,
  saveFile,
  t,
} from "@cairn/app-kit";
import type { CollectPolicy } from "@cairn/collect";
import { exportJournal } from "../session/export-journal.ts";
import { useSession } from "./session-context.ts";

const WHEN_STALE: readonly CollectPolicy["whenStale"][] = ["refuse", "at-own-risk"];

type MoreScreenProps = { readonly storage: StorageCare; readonly onReport: () => void };

/** The day's report, the issuer's terms, the copy of the journal, and what is set once. */
export function MoreScreen({ storage, onReport }: MoreScreenProps) {
  const { session } = useSession();
  return (
    <main class="screen">
      <header>
        <h1>{t("more.title")}</h1>
      </header>
      <div class="content">
        {storage !== "kept" && <Notice kind="warn">{t(`storage.${storage}`)}</Notice>}
        <Button kind="main" onClick={onReport}>
          {t("report.title")}
        </Button>
        <section class="panel">
          <h2>{t("more.journal")}</h2>
          <p>{t("more.journal-explain")}</p>
          <Button
            onClick={async () =>
              saveFile("cairn-journal.cborseq", "application/cbor-seq", await exportJournal(session.terminal))
            }
          >
            {t("action.export-journal")}
          </Button>
        </section>
        <Terms />
        <Choices />
      </div>
    </main>
  );
}

function Terms() {
  const { view } = useSession();
  const { terms, payeeId, expiresAt } = view.standing.payee;
  const { perPaymentCapMinor, storedTotalCapMinor, perCertificateCapMinor, currency } = terms;
  return (
    <section class="panel">
      <h2>{t("more.limits")}</h2>
      <Facts>
        <Fact name={t("more.payee")} value={`${terms.name} (${payeeId})`} />
        <Fact name={t("more.limit-payment")} value={formatMoney(perPaymentCapMinor, currency)} />
        <Fact name={t("more.limit-stored")} value={formatMoney(storedTotalCapMinor, currency)} />
        <Fact name={t("more.limit-certificate")} value={formatMoney(perCertificateCapMinor, currency)} />
        <Fact name={t("more.limit-offline")} value={formatDuration(terms.maximumOfflineSeconds)} />
      </Facts>
      <p class="hint">{t("more.valid-until", { time: formatTime(expiresAt) })}</p>
    </section>
  );
}

function Choices() {
  const { session, view } = useSession();
  const { settings } = view;
  return (
    <section class="panel">
      <fieldset class="choices">
        <legend>{t("more.when-stale")}</legend>
        {WHEN_STALE.map((whenStale) => (
          <label key={whenStale}>
            <input
              type="radio"
              name="when-stale"
              checked={settings.whenStale === whenStale}
              onChange={() => session.change({ whenStale })}
            />
            {t(whenStale === "refuse" ? "more.when-stale-refuse" : "more.when-stale-risk")}
          </label>
        ))}
      </fieldset>
      <label class="choice">
        <input type="checkbox" checked={settings.sound} onChange={() => session.change({ sound: !settings.sound })} />
        {t("more.sound")}
      </label>
      <LookChoices />
    </section>
  );
}
