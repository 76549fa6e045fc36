import { setTimeout as pause } from "node:timers/promises";
import type { AcceptedIssuer, Terminal } from "@cairn/collect";
import { nodeCrypto } from "@cairn/cose/node";
import { amount, formatAmount, MAXIMUM_RECORDS } from "@cairn/messages";
import type { Command } from "commander";
import { ClientError } from "../../client/client-error.ts";
import { IssuerClient, type IssuerClientOptions } from "../../client/issuer-client.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { openOrCreateDeviceFolder } from "../device-folder.ts";
import { issuerAddress, keepIssuerAddress } from "../issuer-address.ts";
import { CommandError, type Failure, failureOf, refused } from "../outcome.ts";
import { counted, type Printer } from "../printer.ts";
import { type TerminalOptions, terminalStore, withTerminal, withTerminalOptions } from "./open.ts";
import { uploadAll } from "./upload-all.ts";

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
      const { issuers, totals } = await withTerminal(options, async (opened, folder) => {
        const homeUrl = await issuerAddress(folder.path, "terminal");
        const done: IssuerUpload[] = [];
        // One issuer that is down must not keep the money of the others waiting.
        for (const issuer of await opened.issuers()) {
          const connection = { url: issuer.url ?? homeUrl, signer: folder.signer, crypto: nodeCrypto() };
          done.push(await uploadTo({ terminal: opened, connection, issuer, printer }, options.wait));
        }
        return { issuers: done, totals: await opened.totals({}) };
      });
      const failed = issuers.flatMap(({ name, failure }) => (failure === undefined ? [] : [{ name, ...failure }]));
      // When all have failed the command ends with the first one's words.
      const ending = failed.length === issuers.length ? failed[0] : undefined;
      for (const each of failed) if (each !== ending) printer.progress(`${each.name}: ${each.code}: ${each.sentence}`);
      for (const { name, received, refused, failure } of issuers) {
        if (failure !== undefined) continue;
        const about = issuers.length === 1 ? "" : ` to ${name}`;
        const turnedAway = refused === 0 ? "" : `, ${refused} refused`;
        printer.line(`Uploaded ${counted(received, "record")}${about}${turnedAway}. Lists are fresh.`);
      }
      const sum = (of: (issuer: IssuerUpload) => number): number =>
        issuers.reduce((total, each) => total + of(each), 0);
      const summary = {
        received: sum(({ received }) => received),
        refused: sum(({ refused }) => refused),
        listRefusals: issuers.flatMap(({ listRefusals }) => listRefusals),
        issuers: issuers.map(({ failure, ...issuer }) => ({
          ...issuer,
          fault: failure && { code: failure.code, sentence: failure.sentence },
        })),
        totals,
      };
      for (const { state, count, totalMinor } of totals.byState)
        printer.line(`  ${state}: ${counted(count, "payment")}, ${formatAmount(amount(totalMinor, totals.currency))}`);
      if (ending !== undefined)
        throw new CommandError({ ...ending, next: "Nothing is lost: what was not uploaded stays stored." });
      printer.result(summary);
    },
  );

  addCommand<EnrolOptions>(
    terminal,
    "join",
    "Also take payments of another issuer of the trust list, with its one-time code for this payee. May be repeated.",
    (command) =>
      withTerminalOptions(command)
        .requiredOption("--issuer <url>", "the other issuer's address")
        .requiredOption("--code <code>", "its one-time code")
        .option("--label <text>", "what its operator sees", "terminal"),
    async (printer, options) => {
      const answer = await withTerminal(options, async (opened, folder) => {
        const client = new IssuerClient({ url: options.issuer, signer: folder.signer, crypto: nodeCrypto() });
        const enrolled = await client.enrolTerminal({ code: options.code, protection: 0, label: options.label });
        const joined = await opened.join({ ...enrolled, url: options.issuer });
        if (joined.kind === "refused") throw refused(joined.refusal);
        return enrolled;
      });
      printer.line(`This terminal takes payments of "${answer.issuerName}" too; uploads go to each issuer.`);
      printer.result({ issuerId: answer.issuerId, issuerName: answer.issuerName, url: options.issuer });
    },
  );
}

type IssuerUpload = {
  readonly issuerId: string;
  readonly name: string;
  readonly received: number;
  readonly refused: number;
  readonly listRefusals: readonly object[];
  /** Why this issuer could not be reached, or turned the call away. */
  readonly failure: Failure | undefined;
};
type UploadTo = {
  readonly terminal: Terminal;
  readonly connection: IssuerClientOptions;
  readonly issuer: AcceptedIssuer;
  readonly printer: Printer;
};

async function uploadTo(to: UploadTo, waitSeconds: number): Promise<IssuerUpload> {
  const { issuerId, name, guestIssuerId } = to.issuer;
  const { terminal, connection, printer } = to;
  try {
    const onProgress = (received: number): void =>
      printer.progress(`${counted(received, "record")} received by the issuer...`);
    const uploaded = await uploadAll({ terminal, connection, guestIssuerId, onProgress });
    for (const why of uploaded.listRefusals) printer.progress(`${why.code}: ${why.sentence}`);
    await hearOutcomes(to, waitSeconds);
    return { issuerId, name, ...uploaded, failure: undefined };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { issuerId, name, received: 0, refused: 0, listRefusals: [], failure: failureOf(error) };
  }
}

/** Asks until every payment has its last word, or the time is over: what is still open is asked for at the next upload. */
async function hearOutcomes({ terminal, connection, issuer }: UploadTo, waitSeconds: number): Promise<void> {
  const client = new IssuerClient(connection);
  const until = performance.now() + waitSeconds * 1000;
  for (;;) {
    const ids = await terminal.paymentsToAsk(MAXIMUM_RECORDS, issuer.guestIssuerId);
    if (ids.length === 0) return;
    const { payments } = await client.outcomes(ids);
    await terminal.applyOutcomes(payments);
    const stillOpen = payments.some(({ state }) => state === "received" || state === "unknown");
    if (!stillOpen || performance.now() > until) return;
    await pause(ASK_AGAIN_MS);
  }
}
