import { CodedError } from "@cairn/cose";
import { type Currency, formatMinor } from "@cairn/messages";
import { csvCell, escaped } from "./payouts/documents.ts";
import { plus, type Standing, type Statement } from "./statements.ts";

/** A statement as comma-separated values (RFC 4180), amounts in major units, row by row. */
export async function* statementCsv({ currency, opening, lines }: Statement): AsyncGenerator<string> {
  const row = (cells: readonly string[], { balanceMinor, creditUsedMinor }: Standing): string => {
    // A negative amount begins with "-" and is a number, not a formula.
    const amounts = [formatMinor(balanceMinor, currency), formatMinor(creditUsedMinor, currency), currency];
    return `${[...cells.map(csvCell), ...amounts].join(",")}\r\n`;
  };
  yield "kind,time,reference,balance,credit_used,currency\r\n";
  yield row(["opening", "", ""], opening);
  let closing = opening;
  for await (const line of lines) {
    closing = plus(closing, line);
    yield row([line.kind, instant(line.postedAt), line.reference], line);
  }
  yield row(["closing", "", ""], closing);
}

/**
 * A statement as ISO 20022 camt.053.001.08, entry by entry. Amounts are net: balance less used credit; each entry says
 * the parts in AddtlNtryInf. The closing comes before them.
 * @throws CodedError STATEMENT_CHANGED, at the end, when something was posted in the period meanwhile: what was written is
 *   no statement.
 */
export async function* camt053({ of, currency, period, opening, lines, closing }: Statement): AsyncGenerator<string> {
  const id = `${of.replace(" ", "-")}-${period.from}`;
  yield `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>${id}</MsgId><CreDtTm>${instant(period.to)}</CreDtTm></GrpHdr>
    <Stmt>
      <Id>${id}</Id><CreDtTm>${instant(period.to)}</CreDtTm>
      <FrToDt><FrDtTm>${instant(period.from)}</FrDtTm><ToDtTm>${instant(period.to)}</ToDtTm></FrToDt>
      <Acct><Id><Othr><Id>${escaped(of)}</Id></Othr></Id><Ccy>${currency}</Ccy></Acct>
${balance("OPBD", opening, currency, period.from)}${balance("CLBD", closing, currency, period.to)}`;
  let sum = opening;
  for await (const line of lines) {
    sum = plus(sum, line);
    const parts = `balance ${formatMinor(line.balanceMinor, currency)}, credit used ${formatMinor(line.creditUsedMinor, currency)}`;
    yield `      <Ntry><NtryRef>${line.entryId}</NtryRef>${amountOf(line, currency)}<Sts><Cd>BOOK</Cd></Sts>` +
      `<BookgDt><DtTm>${instant(line.postedAt)}</DtTm></BookgDt><BkTxCd><Prtry><Cd>${line.kind}</Cd></Prtry></BkTxCd>` +
      `<AddtlNtryInf>${escaped(`${line.reference}; ${parts}`.slice(0, 500))}</AddtlNtryInf></Ntry>\n`;
  }
  if (sum.balanceMinor !== closing.balanceMinor || sum.creditUsedMinor !== closing.creditUsedMinor)
    throw new CodedError("STATEMENT_CHANGED", "Something was posted in this period while it was read.");
  yield `    </Stmt>
  </BkToCstmrStmt>
</Document>
`;
}

const balance = (type: string, standing: Standing, currency: Currency, at: number): string =>
  `      <Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp>${amountOf(standing, currency)}<Dt><DtTm>${instant(at)}</DtTm></Dt></Bal>\n`;

function amountOf({ balanceMinor, creditUsedMinor }: Standing, currency: Currency): string {
  const net = balanceMinor - creditUsedMinor;
  const amount = formatMinor(net < 0n ? -net : net, currency);
  return `<Amt Ccy="${currency}">${amount}</Amt><CdtDbtInd>${net < 0n ? "DBIT" : "CRDT"}</CdtDbtInd>`;
}

const instant = (seconds: number): string => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;
