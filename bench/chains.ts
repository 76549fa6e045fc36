import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { splitRecords } from "@cairn/messages";

/** Keys as PKCS#8, certificates as they were signed. */
export type ChainsOrder = {
  readonly payeeCertificate: Uint8Array;
  readonly till: Uint8Array;
  readonly priceMinor: bigint;
  /** Of each payer; as many as an upload may have records at most. */
  readonly payments: number;
  readonly payers: readonly {
    readonly index: number;
    readonly privateKey: Uint8Array;
    readonly certificate: Uint8Array;
  }[];
};
export type SignedChain = { readonly index: number; readonly records: Uint8Array };

/** Every payer's whole chain as upload records, in the payers' order, signed on all cores. */
export async function signOnAllCores(order: ChainsOrder): Promise<readonly (readonly Uint8Array[])[]> {
  const chains: (readonly Uint8Array[])[] = [];
  const cores = availableParallelism();
  const signPart = async (part: number): Promise<void> => {
    const payers = order.payers.filter(({ index }) => index % cores === part);
    const thread = new Worker(new URL("./chain-thread.ts", import.meta.url), { workerData: { ...order, payers } });
    thread.on("message", ({ index, records }: SignedChain) => {
      chains[index] = splitRecords(records);
    });
    await once(thread, "exit");
  };
  await Promise.all(Array.from({ length: cores }, (_, part) => signPart(part)));
  return chains;
}
