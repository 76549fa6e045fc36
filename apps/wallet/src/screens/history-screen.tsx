import { formatMoney, formatTime, t } from "@cairn/app-kit";
import type { HistoryEntry } from "@cairn/pay";
import { payeeName, StatePill } from "./shared.tsx";

export function HistoryScreen(props: {
  readonly entries: readonly HistoryEntry[];
  readonly onOpen: (entry: HistoryEntry) => void;
}) {
  return (
    <main class="screen">
      <header>
        <h1>{t("history.title")}</h1>
      </header>
      <div class="content">
        {props.entries.length === 0 && <p>{t("history.none")}</p>}
        <ul class="list">
          {props.entries.map((entry) => (
            <li key={entry.paymentId}>
              <button type="button" class="row" onClick={() => props.onOpen(entry)}>
                <span>
                  <strong>{payeeName(entry)}</strong>
                  <span class="hint">{formatTime(entry.preparedAt)}</span>
                </span>
                <span>
                  <span class="figure">
                    {formatMoney(entry.takenMinor ?? entry.amount.minor, entry.amount.currency)}
                  </span>
                  <StatePill state={entry.state} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </main>
  );
}
