import { Button, formatMoney, formatTime, t } from "@cairn/app-kit";
import type { HistoryEntry } from "@cairn/collect";
import { useEffect, useState } from "preact/hooks";
import { entryView } from "./entry-view.ts";
import { useSession } from "./session-context.ts";
import { UploadPanel } from "./upload-panel.tsx";

const PAGE = 50;
const FILTERS = ["all", "payments", "refused"] as const;
type Filter = (typeof FILTERS)[number];

function passes(filter: Filter, { kind }: HistoryEntry): boolean {
  if (filter === "payments") return kind === "payment";
  return filter === "all" || kind === "refused";
}

/** Everything that happened here, newest first, and the way home for what is stored. */
export function SalesScreen({ onOpen }: { readonly onOpen: (entry: HistoryEntry) => void }) {
  const { session, view } = useSession();
  const [limit, setLimit] = useState(PAGE);
  const [filter, setFilter] = useState<Filter>("all");
  const [entries, setEntries] = useState<readonly HistoryEntry[]>();
  useEffect(() => {
    let isShown = true;
    void session.terminal.history({ limit }).then((found) => isShown && setEntries(found));
    return () => {
      isShown = false;
    };
  }, [session, limit, view.standing]);
  const { currency } = view.standing.payee.terms;
  const shown = entries?.filter((entry) => passes(filter, entry));
  return (
    <main class="screen">
      <header>
        <h1>{t("sales.title")}</h1>
      </header>
      <div class="content">
        <UploadPanel />
        <fieldset class="segments" aria-label={t("sales.title")}>
          {FILTERS.map((one) => (
            <button key={one} type="button" aria-pressed={filter === one} onClick={() => setFilter(one)}>
              {t(`sales.filter-${one}`)}
            </button>
          ))}
        </fieldset>
        {shown?.length === 0 && <p class="hint">{t("sales.empty")}</p>}
        <ul class="list">
          {shown?.map((entry) => (
            <SaleRow key={entryView(entry).key} entry={entry} currency={currency} onOpen={onOpen} />
          ))}
        </ul>
        {entries !== undefined && entries.length >= limit && (
          <Button onClick={() => setLimit(limit + PAGE)}>{t("sales.more")}</Button>
        )}
      </div>
    </main>
  );
}

type SaleRowProps = {
  readonly entry: HistoryEntry;
  readonly currency: Parameters<typeof formatMoney>[1];
  readonly onOpen: (entry: HistoryEntry) => void;
};

function SaleRow({ entry, currency, onOpen }: SaleRowProps) {
  const { minor, state, tone, note } = entryView(entry);
  return (
    <li>
      <button type="button" class="row" data-state={state} onClick={() => onOpen(entry)}>
        <span>
          <strong>{formatMoney(minor, currency)}</strong>
          <span class="hint">{note ?? ""}</span>
        </span>
        <span>
          <span class={`pill ${tone}`}>{t(`state.${state}`)}</span>
          <span class="hint">{formatTime(entry.at)}</span>
        </span>
      </button>
    </li>
  );
}
