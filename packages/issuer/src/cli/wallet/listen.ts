import { amount, formatAmount } from "@cairn/messages";
import { applySyncAnswer, walletStatus } from "@cairn/pay";
import type { Command } from "commander";
import { followEvents } from "../../client/follow-events.ts";
import { IssuerClient } from "../../client/issuer-client.ts";
import { addCommand } from "../command.ts";
import { issuerAddress } from "../issuer-address.ts";
import { formatTime } from "../printer.ts";
import { type WalletOptions, withWallet, withWalletOptions } from "./open.ts";

/** While the device is online: takes certificates home as the issuer issues them. */
export function addListenCommand(wallet: Command): void {
  addCommand<WalletOptions & { readonly once?: boolean }>(
    wallet,
    "listen",
    "Stay connected and take certificates home as they come, until Ctrl-C.",
    (command) => withWalletOptions(command).option("--once", "end after the first new certificate"),
    async (printer, options) => {
      const taken = await withWallet(options, async (ports, folder) => {
        const url = await issuerAddress(folder.path, "wallet");
        const client = new IssuerClient({ url, signer: ports.signer, crypto: ports.crypto });
        const stop = new AbortController();
        process.once("SIGINT", () => stop.abort());
        process.once("SIGTERM", () => stop.abort());
        const certificateIds: string[] = [];
        printer.line(`Listening to ${url}. Stop with Ctrl-C.`);
        await followEvents(client, {
          signal: stop.signal,
          random: Math.random,
          holds: async () =>
            (await walletStatus(ports)).holdings.map(({ certificate }) => certificate.certificateId).toReversed(),
          onLost: (error) => printer.progress(`${error?.message ?? "The issuer ended the connection."} Trying again.`),
          onAnswer: async (answer) => {
            const { certificate, refusals } = await applySyncAnswer(ports, { answer, entries: [] });
            for (const { refusal } of refusals) printer.progress(`${refusal.code}: ${refusal.sentence}`);
            if (answer.decision.kind === "refuse")
              for (const { code, sentence } of answer.decision.reasons) printer.line(`${sentence} (${code})`);
            if (certificate === undefined) return;
            const { terms, expiresAt, certificateId } = certificate;
            const limit = formatAmount(amount(terms.limitMinor, terms.currency));
            printer.line(`New certificate: up to ${limit} offline, until ${formatTime(expiresAt)} UTC.`);
            certificateIds.push(certificateId);
            if (options.once === true) stop.abort();
          },
        });
        return certificateIds;
      });
      printer.result({ certificateIds: taken });
    },
  );
}
