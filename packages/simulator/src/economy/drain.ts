import { openExposure } from "@cairn/issue";
import { ServiceError, withdraw } from "@cairn/issuer/services";
import { perform } from "../parties/party.ts";
import type { SimulatedWallet } from "../parties/wallet.ts";
import { money } from "../story.ts";
import type { World } from "./world.ts";

/** Whoever means to overspend first takes home what is not promised to certificates: so what is overspent is a loss. */
export async function drain(world: World, wallet: SimulatedWallet): Promise<void> {
  const { issuer } = world;
  const { account } = wallet.owner;
  await perform(world, issuer.server, 0, async () => {
    const { context } = issuer;
    const now = issuer.nowSeconds();
    const { policy } = context.policies.at(now);
    const its = await context.store.account(account);
    const promisedMinor = openExposure(await context.store.certificatesOf(account), policy, now);
    if (its === undefined) return;
    const { balanceMinor, credit } = its;
    // Whoever gives the credit takes back all but what is owed or promised, and a little.
    const onCreditMinor = promisedMinor > balanceMinor ? promisedMinor - balanceMinor : 0n;
    const lineMinor = credit.usedMinor + onCreditMinor + BigInt(world.kernel.cause.random.between(100, 1_500));
    if (lineMinor < credit.lineMinor) await context.store.setCredit(account, { ...credit, lineMinor });
    const amountMinor = balanceMinor - promisedMinor;
    if (amountMinor <= 0n) return;
    try {
      await withdraw({ account, amountMinor, idempotencyKey: `drain-${world.kernel.cause.id}-${now}` }, context);
      world.tell(() => `the owner of ${wallet.name} withdraws ${money(amountMinor)}`);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  });
}
