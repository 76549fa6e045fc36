import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export type Cutter = {
  readonly url: string;
  /** Resets all connections once so many bytes have passed, both directions together; later ones pass again. */
  cutAfter(bytes: number): void;
  /** From now on every connection is reset once so many bytes have passed over it. */
  cutEach(bytes: number): void;
  readonly cuts: () => number;
  close(): Promise<void>;
};
type CutterOptions = {
  /** Whether bytes that a caller sends may pass; where they may not, its connection is reset. */
  readonly passes?: (text: string) => boolean;
};

/** A way to the server that breaks when it is told to; closed with the test. */
export async function cutter(t: TestContext, target: string, options: CutterOptions = {}): Promise<Cutter> {
  const opened = await openCutter(target, options);
  t.after(() => opened.close());
  return opened;
}

export async function openCutter(target: string, { passes = () => true }: CutterOptions = {}): Promise<Cutter> {
  let left = Number.POSITIVE_INFINITY;
  let each = Number.POSITIVE_INFINITY;
  let cuts = 0;
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    let own = 0;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes: Buffer) => {
        if (from === near && !passes(bytes.toString("latin1"))) {
          near.resetAndDestroy();
          return;
        }
        own += bytes.length;
        if (own > each) {
          cuts++;
          near.resetAndDestroy();
          far.resetAndDestroy();
          return;
        }
        const part = bytes.subarray(0, left);
        left -= part.length;
        if (part.length > 0) to.write(part);
        if (left > 0) return;
        left = Number.POSITIVE_INFINITY;
        cuts++;
        for (const socket of sockets) socket.resetAndDestroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter: (bytes) => {
      left = bytes;
    },
    cutEach: (bytes) => {
      each = bytes;
    },
    cuts: () => cuts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
