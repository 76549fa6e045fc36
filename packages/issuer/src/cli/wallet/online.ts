import { nodeCrypto } from "@cairn/cose/node";
import { amount, formatAmount, formatMinor } from "@cairn/messages";
import { acceptEnrolment, applySyncAnswer, buildSync, type WalletPorts } from "@cairn/pay";
import type { Command } from "commander";
import type { SyncAnswer } from "../../api/device-api.ts";
import { IssuerClient } from "../../client/issuer-client.ts";
import { addCommand } from "../command.ts";
import { openOrCreateDeviceFolder } from "../device-folder.ts";
import { issuerAddress, keepIssuerAddress } from "../issuer-address.ts";
import { refused } from "../outcome.ts";
import { formatTime, type Printer, table } from "../printer.ts";
import { type WalletOptions, walletStore, withWallet, withWalletOptions } from "./open.ts";

type EnrolOptions = WalletOptions & { readonly issuer: string; readonly code: string; readonly label: string };
type SyncOptions = WalletOptions & { readonly ahead?: boolean; readonly renew?: boolean };

export function addOnlineCommands(wallet: Command): void {
  addCommand<EnrolOptions>(
    wallet,
    "enrol",
    "Make this folder a device of an account, with the account's one-time code. May be repeated.",
    (command) =>
      withWalletOptions(command)
        .requiredOption("--issuer <url>", "the issuer's address")
        .requiredOption("--code <code>", "the one-time code")
        .option("--label <text>", "what the operator sees", "wallet"),
    async (printer, options) => {
      const folder = await openOrCreateDeviceFolder(options.data, walletStore);
      const client = new IssuerClient({ url: options.issuer, signer: folder.signer, crypto: nodeCrypto() });
      // A key in a file is protected by nothing but the file system: level 0.
      const answer = await client.enrolDevice({ code: options.code, protection: 0, label: options.label });
      const enrolled = await withWallet(options, (ports) => acceptEnrolment(ports, answer), folder);
      if (enrolled.kind === "refused") throw refused(enrolled.refusal);
      await keepIssuerAddress(folder.path, options.issuer);
      printer.line(
        `This is now a wallet of issuer "${answer.issuerName}". Fetch a certificate with: cairn wallet sync`,
      );
      printer.result({ deviceId: answer.deviceId, issuerName: answer.issuerName, currency: answer.currency });
    },
  );

  addCommand<SyncOptions>(
    wallet,
    "sync",
    "Bring payments home, hear what became of them, and fetch a certificate when one is due.",
    (command) =>
      withWalletOptions(command)
        .option("--ahead", "ask for a certificate ahead of a trip, whatever is left")
        .option("--renew", "give the certificates held back, for a new one with a fresh limit"),
    async (printer, options) => {
      const { answer, certificate, refusals, closed } = await withWallet(options, async (ports, folder) => {
        const client = new IssuerClient({
          url: await issuerAddress(folder.path, "wallet"),
          signer: ports.signer,
          crypto: ports.crypto,
        });
        return syncAll(ports, client, options);
      });
      showSync(answer, printer);
      if (certificate !== undefined) {
        const { terms, expiresAt } = certificate;
        const money = (minor: bigint): string => formatAmount(amount(minor, terms.currency));
        printer.line(
          `New certificate: up to ${money(terms.limitMinor)} offline, at most ${money(terms.perPaymentCapMinor)} at once, until ${formatTime(expiresAt)} UTC.`,
        );
      }
      // What could be taken home is kept by now; what could not be is said as the command's end.
      const [first] = refusals;
      if (first !== undefined) throw refused(first.refusal);
      const { decision, account, payments } = answer;
      printer.result({ decision, account, payments, closed, certificate: certificateOf(certificate) });
    },
  );
}

/** One call takes a thousand records: a wallet that was away for long brings the rest with further calls. */
async function syncAll(ports: WalletPorts, client: IssuerClient, options: SyncOptions) {
  const ahead = options.ahead === true;
  for (let closeAll = options.renew === true; ; closeAll = false) {
    const batch = await buildSync(ports, { closeAll });
    const answer = await client.sync({ records: [batch.content], ahead, holds: batch.holds });
    const applied = await applySyncAnswer(ports, { answer, entries: batch.entries });
    if (!batch.more || applied.refusals.length > 0) return { answer, ...applied, closed: batch.closed };
  }
}

function certificateOf(certificate: Awaited<ReturnType<typeof applySyncAnswer>>["certificate"]): object | null {
  if (certificate === undefined) return null;
  const { certificateId, terms, expiresAt } = certificate;
  return {
    certificateId,
    limitMinor: terms.limitMinor,
    perPaymentCapMinor: terms.perPaymentCapMinor,
    currency: terms.currency,
    expiresAt,
  };
}

function showSync({ account, decision, payments, records }: SyncAnswer, printer: Printer): void {
  const money = (minor: bigint): string => formatAmount(amount(minor, account.currency));
  printer.line(
    `Account: balance ${money(account.balanceMinor)}, credit used ${money(account.creditUsedMinor)} of ${money(account.creditLineMinor)}.`,
  );
  for (const { code, sentence } of decision.reasons)
    printer.line(`${decision.kind === "refuse" ? "No certificate" : "Certificate"}: ${sentence} (${code})`);
  for (const line of table(
    decision.lines.map(({ label, minor, note }) => [
      label,
      `${formatMinor(minor, account.currency)} ${account.currency}`,
      note,
    ]),
    [1],
  ))
    printer.line(`  ${line}`);
  for (const { state, code, sentence } of records)
    if (state === "refused") printer.line(`A record was refused: ${sentence ?? ""} (${code ?? ""})`);
  for (const { paymentId, state, sentence } of payments)
    printer.line(`Payment ${paymentId.slice(0, 16)}: ${state}. ${sentence}`);
}
