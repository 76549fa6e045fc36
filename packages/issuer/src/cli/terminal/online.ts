import { setTimeout as pause } from "node:timers/promises";
import type { Terminal } from "@cairn/collect";
import { nodeCrypto } from "@cairn/cose/node";
import { amount, formatAmount, MAXIMUM_RECORDS } from "@cairn/messages";
import type { Command } from "commander";
import { IssuerClient } from "../../client/issuer-client.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { openOrCreateDeviceFolder } from "../device-folder.ts";
import { issuerAddress, keepIssuerAddress } from "../issuer-address.ts";
import { refused } from "../outcome.ts";
import { counted, type Printer } from "../printer.ts";
import { type TerminalOptions, terminalStore, withTerminal, withTerminalOptions } from "./open.ts";

type EnrolOptions = TerminalOptions & { readonly issuer: string; readonly code: string; readonly label: string };
type UploadOptions = TerminalOptions & { readonly wait: number };

/** Between two questions for outcomes: settling takes milliseconds, so the first answers come at once. */
const ASK_AGAIN_MS = 150;

export function addOnlineCommands(terminal: Command): void {
  addCommand<EnrolOptions>(
    terminal,
    "enrol",
    "Make this folder a terminal of a payee, with the payee's one-time code. May be repeated.",
    (command) =>
      withTerminalOptions(command)
        .requiredOption("--issuer <url>", "the issuer's address")
        .requiredOption("--code <code>", "the one-time code")
        .option("--label <text>", "what the operator sees", "terminal"),
    async (printer, options) => {
      const folder = await openOrCreateDeviceFolder(options.data, terminalStore);
      const client = new IssuerClient({ url: options.issuer, signer: folder.signer, crypto: nodeCrypto() });
      const answer = await client.enrolTerminal({ code: options.code, protection: 0, label: options.label });
      const enrolled = await withTerminal(options, (opened) => opened.enrol(answer), folder);
      if (enrolled.kind === "refused") throw refused(enrolled.refusal);
      await keepIssuerAddress(folder.path, options.issuer);
      const { terms, payeeId } = enrolled.payee;
      printer.line(`This is now a terminal of "${terms.name}" (${payeeId}), issuer "${answer.issuerName}".`);
      printer.line("Ask for a payment with: cairn terminal charge AMOUNT");
      printer.result({
        terminalId: answer.terminalId,
        payeeId,
        name: terms.name,
        currency: terms.currency,
        issuerName: answer.issuerName,
      });
    },
  );

  addCommand<UploadOptions>(
    terminal,
    "upload",
    "Bring accepted payments home, hear what became of each, and take fresh lists home.",
    (command) =>
      withTerminalOptions(command).option(
        "--wait <seconds>",
        "how long to wait for the last outcomes",
        wholeNumber(0),
        20,
      ),
    async (printer, options) => {
      const summary = await withTerminal(options, async (opened, folder) => {
        const client = new IssuerClient({
          url: await issuerAddress(folder.path, "terminal"),
          signer: folder.signer,
          crypto: nodeCrypto(),
        });
        const uploaded = await uploadAll(opened, client, printer);
        await hearOutcomes(opened, client, options.wait);
        return { ...uploaded, totals: await opened.totals({}) };
      });
      const { totals } = summary;
      printer.line(
        `Uploaded ${counted(summary.received, "record")}${summary.refused === 0 ? "" : `, ${summary.refused} refused`}. Lists are fresh.`,
      );
      for (const { state, count, totalMinor } of totals.byState)
        printer.line(`  ${state}: ${counted(count, "payment")}, ${formatAmount(amount(totalMinor, totals.currency))}`);
      printer.result(summary);
    },
  );
}

/** Until nothing is left that the server has not acknowledged; an empty upload still takes fresh lists home. */
async function uploadAll(
  terminal: Terminal,
  client: IssuerClient,
  printer: Printer,
): Promise<{ received: number; refused: number; listRefusals: readonly object[] }> {
  let received = 0;
  let turnedAway = 0;
  for (;;) {
    const upload = await terminal.buildUpload({ limit: MAXIMUM_RECORDS });
    const applied = await terminal.applyUploadAnswer(upload, await client.upload(upload.records));
    received += applied.received;
    turnedAway += applied.refused;
    for (const why of applied.listRefusals) printer.progress(`${why.code}: ${why.sentence}`);
    // A server that answers for none of the records would keep us here for ever.
    const isDone = upload.items.length === 0 || applied.unanswered === upload.items.length;
    if (isDone) return { received, refused: turnedAway, listRefusals: applied.listRefusals };
    printer.progress(`${counted(received, "record")} received by the issuer...`);
  }
}

/** Asks until every payment has its last word, or the time is over: what is still open is asked for at the next upload. */
async function hearOutcomes(terminal: Terminal, client: IssuerClient, waitSeconds: number): Promise<void> {
  const until = performance.now() + waitSeconds * 1000;
  for (;;) {
    const ids = await terminal.paymentsToAsk(MAXIMUM_RECORDS);
    if (ids.length === 0) return;
    const { payments } = await client.outcomes(ids);
    await terminal.applyOutcomes(payments);
    const stillOpen = payments.some(({ state }) => state === "received" || state === "unknown");
    if (!stillOpen || performance.now() > until) return;
    await pause(ASK_AGAIN_MS);
  }
}
