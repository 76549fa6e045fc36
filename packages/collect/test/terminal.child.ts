import { readFileSync, writeSync } from "node:fs";
import { DEFAULT_COLLECT_POLICY, openTerminal } from "@cairn/collect";
import { nodeCrypto, signerFromPkcs8 } from "@cairn/cose/node";
import { openSqliteTerminalJournal } from "@cairn/stores";

/**
 * A terminal as a process of its own, for tests that race or kill it.
 *     node terminal.child.ts ORDERS.json
 * It accepts the codes of its orders and says each outcome on a line of standard output, right when it knows it.
 */
export type Orders = {
  readonly folder: string;
  readonly keyPkcs8: string;
  readonly now: number;
  readonly codes: readonly string[];
};

const [, , file] = process.argv;
if (file === undefined) throw new Error("No orders.");
const orders: Orders = JSON.parse(readFileSync(file, "utf8"));
const terminal = openTerminal({
  journal: openSqliteTerminalJournal(orders.folder),
  signer: signerFromPkcs8(Buffer.from(orders.keyPkcs8, "hex")),
  crypto: nodeCrypto(),
  clock: { nowSeconds: () => orders.now },
  random: { bytes: (length) => new Uint8Array(length) },
  policy: DEFAULT_COLLECT_POLICY,
});
for (const [index, code] of orders.codes.entries()) {
  const outcome = await terminal.accept(code);
  writeSync(1, `${index} ${outcome.kind === "refused" ? outcome.refusal.code : outcome.kind}\n`);
}
