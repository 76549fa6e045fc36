import type { TestContext } from "node:test";
import { IssuerClient } from "../packages/issuer/src/client/issuer-client.ts";
import { cutter } from "../packages/issuer/test/support/cutter.ts";
import { openTill } from "../packages/issuer/test/support/till.ts";
import { crypto } from "../packages/issuer/test/support/values.ts";
import { makeWorld } from "../packages/issuer/test/support/world.ts";

/** A till with so many accepted sales, and its client over a line that can be made to break. */
export async function tillOverLine(t: TestContext, sales: number) {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const till = await openTill(world);
  const sell = async (): Promise<void> => {
    const outcome = await till.take(world.wallet, 1n);
    if (outcome !== "accepted") throw new Error(outcome);
  };
  for (let sale = 0; sale < sales; sale++) await sell();
  const line = await cutter(t, world.issuer.url);
  const client = new IssuerClient({ url: line.url, signer: till.signer, crypto, clock: world.clock });
  return { terminal: till.terminal, client, line, sell };
}
