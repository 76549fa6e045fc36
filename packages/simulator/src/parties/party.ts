import type { CollectPolicy } from "@cairn/collect";
import type { Disk } from "../kernel/disk.ts";
import type { Fate } from "../kernel/fate.ts";
import { GOES_ON, type Kernel, type Node } from "../kernel/kernel.ts";
import type { Network } from "../kernel/network.ts";
import type { Truth } from "../promises/truth.ts";
import type { Signatures } from "../signatures.ts";
import type { Teller } from "../story.ts";
import type { SimulatedIssuer } from "./issuer.ts";

/** What every party of a world stands in. */
export type Surroundings = {
  readonly kernel: Kernel;
  readonly fate: Fate;
  readonly network: Network;
  readonly signatures: Signatures;
  readonly issuer: SimulatedIssuer;
  readonly truth: Truth;
  readonly tell: Teller;
  /** A disk under the node as it is now. */
  readonly diskOf: (node: Node) => Disk;
  readonly collectPolicy: CollectPolicy;
};

/** What a program does when somebody uses it: undefined when it is down, or is killed before it is done. */
export function perform<Result>(
  { kernel }: Pick<Surroundings, "kernel">,
  node: Node,
  afterMs: number,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    kernel.after(afterMs, undefined, () => {
      const died = (): void => resolve(undefined);
      if (node.isUp) {
        node.mourners.add(died);
        const over = (): boolean => node.mourners.delete(died);
        work().then(
          (result) => {
            resolve(result);
            over();
          },
          (error: unknown) => {
            reject(error);
            over();
          },
        );
      } else died();
      return GOES_ON;
    });
  });
}

/** Waits as people do, whatever becomes of their devices. */
export function wait({ kernel }: Pick<Surroundings, "kernel">, milliseconds: number): Promise<void> {
  return new Promise((resolve) =>
    kernel.after(milliseconds, undefined, () => {
      resolve();
      return GOES_ON;
    }),
  );
}

export function clockOf({ kernel }: Pick<Surroundings, "kernel">, node: Node): { nowSeconds(): number } {
  return { nowSeconds: () => Math.floor(kernel.now / 1_000) + node.skewSeconds };
}
