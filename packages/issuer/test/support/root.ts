import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { TrustList, Verified } from "@cairn/messages";
import type { OperatorClient } from "../../src/client/operator-client.ts";
import { systemRandom } from "../../src/ports.ts";
import { createOfflineRoot, type OfflineRoot, openOfflineRoot } from "../../src/root/offline-root.ts";
import { START } from "./issuer.ts";
import { crypto } from "./values.ts";

export const VALIDITY = { validitySeconds: 30 * 86_400, now: START };

/** An offline root in a folder of its own: opened anew for every act, as commands do. */
export async function makeRoot(t: TestContext) {
  const path = await mkdtemp(join(tmpdir(), "cairn-root-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  const folder = { path, passphrase: "a root of trust", crypto };
  const { rootKey } = await createOfflineRoot({ ...folder, random: systemRandom });
  const open = (): Promise<OfflineRoot> => openOfflineRoot(folder);

  /** Signs these issuers' keys and brings the list to each. */
  async function publish(...operators: readonly OperatorClient[]): Promise<Verified<TrustList>> {
    const statements = await Promise.all(operators.map((operator) => operator.keyStatement()));
    const list = await (await open()).sign({ statements, ...VALIDITY });
    for (const operator of operators) await operator.bringTrustList(list.bytes);
    return list;
  }
  return { folder, rootKey, open, publish };
}
