import { refusalText, t } from "@cairn/app-kit";
import { applySyncAnswer, buildSync } from "@cairn/pay";
import { keepAccount } from "./account-view.ts";
import type { Wallet } from "./open-wallet.ts";

type SyncOptions = { readonly renew: boolean; readonly onProgress: (brought: number) => void };

/**
 * What it paid first, then what it was paid, and then how much there is now: that money makes a higher balance, and may
 * make a higher limit. @throws ClientError
 */
export async function syncAll(wallet: Wallet, options: SyncOptions): Promise<string | undefined> {
  const problem = await syncPayments(wallet, options);
  const received = await wallet.receiver.sync(wallet.client, t("enrol.label"));
  const after = received.brought > 0 ? await syncPayments(wallet, { ...options, renew: false }) : undefined;
  return problem ?? received.problem ?? after;
}

/**
 * Brings payments home, hears what became of them, takes fresh lists and a certificate home. `renew` gives the
 * certificates held back for one with a fresh limit. Answers with the sentence of what could not be taken home.
 * @throws ClientError; what was answered before is kept.
 */
async function syncPayments({ ports, client }: Wallet, options: SyncOptions): Promise<string | undefined> {
  let brought = 0;
  for (let closeAll = options.renew; ; closeAll = false) {
    const batch = await buildSync(ports, { closeAll });
    const { content, holds, since } = batch;
    const answer = await client.sync({ records: [content], ahead: options.renew, holds, since });
    const { refusals } = await applySyncAnswer(ports, { answer, entries: batch.entries });
    keepAccount(answer, ports.clock.nowSeconds());
    brought += batch.entries.length;
    options.onProgress(brought);
    const [first] = refusals;
    if (first !== undefined) return refusalText(first.refusal);
    if (!batch.more) return undefined;
  }
}
