import { formatMinor } from "@cairn/messages";
import type { PayoutView } from "./payouts.ts";

export type Debtor = {
  readonly name: string;
  readonly iban: string;
  /** YYYY-MM-DD */
  readonly executionDate: string;
};

/** The batch as an ISO 20022 customer credit transfer initiation, pain.001.001.09: the same batch, the same bytes. */
export function pain001({ batch, payouts }: PayoutView, debtor: Debtor): string {
  const { batchId, currency } = batch;
  const sum = formatMinor(
    payouts.reduce((total, { netMinor }) => total + BigInt(netMinor), 0n),
    currency,
  );
  const counts = `<NbOfTxs>${payouts.length}</NbOfTxs><CtrlSum>${sum}</CtrlSum>`;
  const created = new Date(batch.createdAt * 1_000).toISOString().slice(0, 19);
  const transfers = payouts.map(
    ({ payeeId, netMinor, holder, iban }) =>
      `      <CdtTrfTxInf><PmtId><EndToEndId>${batchId}-${payeeId}</EndToEndId></PmtId>` +
      `<Amt><InstdAmt Ccy="${currency}">${formatMinor(BigInt(netMinor), currency)}</InstdAmt></Amt>` +
      `<Cdtr><Nm>${escaped(holder)}</Nm></Cdtr><CdtrAcct><Id><IBAN>${iban}</IBAN></Id></CdtrAcct>` +
      `<RmtInf><Ustrd>Payout ${batchId}</Ustrd></RmtInf></CdtTrfTxInf>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
  <CstmrCdtTrfInitn>
    <GrpHdr><MsgId>${batchId}</MsgId><CreDtTm>${created}Z</CreDtTm>${counts}<InitgPty><Nm>${escaped(debtor.name)}</Nm></InitgPty></GrpHdr>
    <PmtInf>
      <PmtInfId>${batchId}</PmtInfId><PmtMtd>TRF</PmtMtd>${counts}
      <ReqdExctnDt><Dt>${debtor.executionDate}</Dt></ReqdExctnDt>
      <Dbtr><Nm>${escaped(debtor.name)}</Nm></Dbtr>
      <DbtrAcct><Id><IBAN>${debtor.iban}</IBAN></Id></DbtrAcct>
      <DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt>
      <ChrgBr>SLEV</ChrgBr>
${transfers.join("\n")}
    </PmtInf>
  </CstmrCdtTrfInitn>
</Document>
`;
}

/** The batch as comma-separated values (RFC 4180), one payout a line, amounts in major units. */
export function payoutCsv({ batch, payouts }: PayoutView): string {
  const rows = payouts.map(({ payeeId, holder, iban, grossMinor, feeMinor, netMinor, currency, state, reason }) =>
    [
      batch.batchId,
      payeeId,
      holder,
      iban,
      ...[grossMinor, feeMinor, netMinor].map((minor) => formatMinor(BigInt(minor), currency)),
      currency,
      state,
      reason ?? "",
    ]
      .map(csvCell)
      .join(","),
  );
  return ["batch,payee,holder,iban,gross,fee,net,currency,state,reason", ...rows, ""].join("\r\n");
}

/** Quoted where it must be; a cell that a spreadsheet would take for a formula is made text. */
export function csvCell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `\u0027${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
