import { type Currency, formatMinor } from "@cairn/messages";
import { csvCell, escaped } from "./payouts/documents.ts";
import type { Standing, Statement } from "./statements.ts";

/** A statement as comma-separated values (RFC 4180), amounts in major units. */
export function statementCsv({ currency, opening, lines, closing }: Statement): string {
  const amounts = ({ balanceMinor, creditUsedMinor }: Standing): string[] => [
    formatMinor(balanceMinor, currency),
    formatMinor(creditUsedMinor, currency),
    currency,
  ];
  const rows = [
    ["opening", "", "", ...amounts(opening)],
    ...lines.map((line) => [line.kind, instant(line.postedAt), line.reference, ...amounts(line)]),
    ["closing", "", "", ...amounts(closing)],
  ];
  // A negative amount begins with "-" and is a number, not a formula.
  const cells = rows.map((row) => row.map((cell, column) => (column < 3 ? csvCell(cell) : cell)).join(","));
  return ["kind,time,reference,balance,credit_used,currency", ...cells, ""].join("\r\n");
}

/**
 * A statement as ISO 20022 camt.053.001.08. Amounts are net: balance less used credit; each entry says the parts in
 * AddtlNtryInf.
 */
export function camt053({ of, currency, period, opening, lines, closing }: Statement): string {
  const id = `${of.replace(" ", "-")}-${period.from}`;
  const entries = lines.map((line) => {
    const parts = `balance ${formatMinor(line.balanceMinor, currency)}, credit used ${formatMinor(line.creditUsedMinor, currency)}`;
    return (
      `      <Ntry><NtryRef>${line.entryId}</NtryRef>${amountOf(line, currency)}<Sts><Cd>BOOK</Cd></Sts>` +
      `<BookgDt><DtTm>${instant(line.postedAt)}</DtTm></BookgDt><BkTxCd><Prtry><Cd>${line.kind}</Cd></Prtry></BkTxCd>` +
      `<AddtlNtryInf>${escaped(`${line.reference}; ${parts}`.slice(0, 500))}</AddtlNtryInf></Ntry>\n`
    );
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>${id}</MsgId><CreDtTm>${instant(period.to)}</CreDtTm></GrpHdr>
    <Stmt>
      <Id>${id}</Id><CreDtTm>${instant(period.to)}</CreDtTm>
      <FrToDt><FrDtTm>${instant(period.from)}</FrDtTm><ToDtTm>${instant(period.to)}</ToDtTm></FrToDt>
      <Acct><Id><Othr><Id>${escaped(of)}</Id></Othr></Id><Ccy>${currency}</Ccy></Acct>
${balance("OPBD", opening, currency, period.from)}${balance("CLBD", closing, currency, period.to)}${entries.join("")}    </Stmt>
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
