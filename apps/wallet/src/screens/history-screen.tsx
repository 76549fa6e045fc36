import { formatMoney, formatTime, t } from "@cairn/app-kit";
import type { Currency } from "@cairn/messages";
import type { HistoryEntry } from "@cairn/pay";
import type { ReceiverView } from "../session/receiver.ts";
import { payeeName, type ReceivedEntry, StatePill, shownMinor } from "./shared.tsx";

type Line =
  | { readonly kind: "paid"; readonly at: number; readonly entry: HistoryEntry }
  | { readonly kind: "received"; readonly at: number; readonly entry: ReceivedEntry };

/** What was paid and what was received, newest first. */
export function HistoryScreen(props: {
  readonly entries: readonly HistoryEntry[];
  readonly received: ReceiverView | undefined;
  readonly currency: Currency;
  readonly onOpen: (entry: HistoryEntry) => void;
  readonly onOpenReceived: (entry: ReceivedEntry) => void;
}) {
  const lines = linesOf(props.entries, props.received);
  return (
    <main class="screen">
      <header>
        <h1>{t("history.title")}</h1>
      </header>
      <div class="content">
        {lines.length === 0 && <p>{t("history.none")}</p>}
        <ul class="list">
          {lines.map((line) =>
            line.kind === "paid" ? (
              <Row
                key={line.entry.paymentId}
                name={payeeName(line.entry)}
                at={line.at}
                money={formatMoney(shownMinor(line.entry), line.entry.amount.currency)}
                state={line.entry.state}
                onOpen={() => props.onOpen(line.entry)}
              />
            ) : (
              <Row
                key={line.entry.acceptance.paymentId}
                name={t("history.received")}
                note={line.entry.orderReference}
                at={line.at}
                money={`+${formatMoney(line.entry.acceptance.takenMinor ?? 0n, props.currency)}`}
                state={line.entry.state}
                onOpen={() => props.onOpenReceived(line.entry)}
              />
            ),
          )}
        </ul>
      </div>
    </main>
  );
}

function Row(props: {
  readonly name: string;
  readonly note?: string | undefined;
  readonly at: number;
  readonly money: string;
  readonly state: Parameters<typeof StatePill>[0]["state"];
  readonly onOpen: () => void;
}) {
  return (
    <li>
      <button type="button" class="row" data-state={props.state} onClick={props.onOpen}>
        <span>
          <strong>{props.name}</strong>
          <span class="hint">
            {props.note !== undefined && `${props.note} · `}
            {formatTime(props.at)}
          </span>
        </span>
        <span>
          <span class="figure">{props.money}</span>
          <StatePill state={props.state} />
        </span>
      </button>
    </li>
  );
}

function linesOf(entries: readonly HistoryEntry[], received: ReceiverView | undefined): readonly Line[] {
  const lines: Line[] = entries.map((entry) => ({ kind: "paid", at: entry.preparedAt, entry }));
  for (const entry of received?.entries ?? [])
    if (entry.kind === "payment") lines.push({ kind: "received", at: entry.at, entry });
  return lines.sort((left, right) => right.at - left.at);
}
