import type { AccountNumber } from "@cairn/issue";
import { payOnline, ServiceError, transfer } from "@cairn/issuer/services";
import type { PayeeId } from "@cairn/messages";
import { perform, wait } from "../parties/party.ts";
import type { SimulatedWallet } from "../parties/wallet.ts";
import { money } from "../story.ts";
import type { World } from "./world.ts";

/** A person whose server died asks again, or goes away: what has left the account must arrive all the same. */
const ASKS_AGAIN = 0.7;
const AGAIN_MS = 30_000;
const TRIES = 5;
/** The server dies just then: between two partitions money is on its way. */
const DIES = 0.15;

export type OnlineOrder = {
  readonly amountMinor: bigint;
  readonly key: string;
  readonly to: { readonly account: AccountNumber } | { readonly payeeId: PayeeId };
};

/** Money that leaves an account online, while certificates are out: to another account, or to a shop. */
export async function sendOnline(world: World, wallet: SimulatedWallet, order: OnlineOrder): Promise<void> {
  const { issuer, truth, kernel } = world;
  const { account } = wallet.owner;
  const { amountMinor, key, to } = order;
  if ("account" in to) truth.transfers.set(`${account}:${key}`, { from: account, to: to.account, amountMinor });
  if (world.fate.strikes("crashes", DIES)) world.fate.doom(issuer.server);
  for (let tried = 0; tried < TRIES; tried += 1) {
    const answer = await perform(world, issuer.server, 100, async () => {
      const common = { account, amountMinor, idempotencyKey: key };
      try {
        return "account" in to
          ? await transfer({ ...common, to: to.account }, issuer.context)
          : await payOnline({ ...common, payeeId: to.payeeId }, issuer.context);
      } catch (error) {
        if (error instanceof ServiceError) return error.code;
        throw error;
      }
    });
    const where = "account" in to ? `account ${to.account}` : to.payeeId;
    world.tell(() => `the owner of ${wallet.name} sends ${money(amountMinor)} to ${where}: ${answer ?? "no answer"}`);
    if (answer === "posted" && "account" in to) truth.transferred.add(`${account}:${key}`);
    if (answer !== undefined || !kernel.cause.random.chance(ASKS_AGAIN)) return;
    await wait(world, AGAIN_MS);
  }
}
