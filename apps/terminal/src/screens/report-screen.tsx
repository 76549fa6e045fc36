import { Button, formatDay, formatMoney, Screen, saveFile, t } from "@cairn/app-kit";
import type { HistoryEntry, Totals } from "@cairn/collect";
import { useEffect, useState } from "preact/hooks";
import type { RefundNote } from "../session/refund-notes.ts";
import { dayAsCsv, dayRange, daysAgo, isoDay, neighbourDay } from "../till/day.ts";
import { useSession } from "./session-context.ts";

/** More sales than any till makes in a day. */
const DAY_LIMIT = 100_000;

type Report = {
  readonly totals: Totals;
  readonly entries: readonly HistoryEntry[];
  readonly refunds: readonly RefundNote[];
};

/** The end of the day: what was accepted and where each part stands, on the screen, on paper and as a file. */
export function ReportScreen({ onBack }: { readonly onBack: () => void }) {
  const { session, view } = useSession();
  const [day, setDay] = useState(() => new Date());
  const [report, setReport] = useState<Report>();
  useEffect(() => {
    let isShown = true;
    const range = dayRange(day);
    const { terminal } = session;
    void Promise.all([terminal.totals(range), terminal.history({ ...range, limit: DAY_LIMIT })]).then(
      ([totals, entries]) => isShown && setReport({ totals, entries, refunds: session.refundsBetween(range) }),
    );
    return () => {
      isShown = false;
    };
  }, [session, day, view.standing]);
  const isToday = daysAgo(day, new Date()) <= 0;
  const { name, currency } = view.standing.payee.terms;
  const isEmpty = report === undefined || report.totals.count + report.refunds.length === 0;
  return (
    <Screen
      title={t("report.title")}
      onBack={onBack}
      actions={
        <>
          <Button kind="main" disabled={isEmpty} onClick={() => print()}>
            {t("action.print")}
          </Button>
          <Button
            disabled={isEmpty}
            onClick={() => {
              const csv = new TextEncoder().encode(
                dayAsCsv(report?.entries ?? [], { currency, refunds: report?.refunds ?? [] }),
              );
              saveFile(`cairn-${isoDay(day)}.csv`, "text/csv", csv);
            }}
          >
            {t("action.export-csv")}
          </Button>
        </>
      }
    >
      <p>{name}</p>
      <div class="day-picker">
        <Button onClick={() => setDay(neighbourDay(day, -1))}>{t("report.previous")}</Button>
        <strong>{isToday ? t("report.today") : formatDay(day.getTime() / 1000)}</strong>
        <Button disabled={isToday} onClick={() => setDay(neighbourDay(day, 1))}>
          {t("report.following")}
        </Button>
      </div>
      {report !== undefined && (isEmpty ? <p class="hint">{t("report.empty")}</p> : <Figures report={report} />)}
    </Screen>
  );
}

function Figures({ report: { totals, entries, refunds } }: { readonly report: Report }) {
  const { currency } = totals;
  const atRisk = entries.filter((entry) => entry.kind === "payment" && !entry.guaranteed).length;
  return (
    <>
      <p class="amount">{formatMoney(totals.totalMinor, currency)}</p>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">{t("detail.state")}</th>
            <th scope="col">{t("report.count")}</th>
            <th scope="col">{t("till.amount")}</th>
          </tr>
        </thead>
        <tbody>
          {totals.byState.map(({ state, count, totalMinor }) => (
            <tr key={state}>
              <th scope="row">{t(`state.${state}`)}</th>
              <td>{count}</td>
              <td>{formatMoney(totalMinor, currency)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t("report.total")}</th>
            <td>{totals.count}</td>
            <td>{formatMoney(totals.totalMinor, currency)}</td>
          </tr>
        </tfoot>
      </table>
      <p class="hint">{t("report.at-risk", { payments: atRisk })}</p>
      {refunds.length > 0 && (
        <p data-refunds={refunds.length}>{t("report.refunded", { amount: formatMoney(-sumOf(refunds), currency) })}</p>
      )}
    </>
  );
}

const sumOf = (refunds: readonly RefundNote[]): bigint =>
  refunds.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
