import type { Fate } from "./fate.ts";
import { GOES_ON, type Kernel, type Node } from "./kernel.ts";

const LOST = 0.01;
const TWICE = 0.01;
const LATE = 0.02;
const FASTEST_MS = 10;
const ORDINARY_MS = 200;
const LATEST_MS = 600_000;
const TIMEOUT_MS = 30_000;

/** No answer came: nobody knows whether the other side acted. */
export class NoAnswer extends Error {}

export type NetworkCounts = { messages: number; lost: number; repeated: number; late: number };

/** Between devices and the server: loses, repeats, delays and reorders, each message for itself. */
export class Network {
  readonly #kernel: Kernel;
  readonly #fate: Fate;
  readonly counts: NetworkCounts = { messages: 0, lost: 0, repeated: 0, late: 0 };

  constructor(kernel: Kernel, fate: Fate) {
    this.#kernel = kernel;
    this.#fate = fate;
  }

  /**
   * Asks the server. A caller that is killed meanwhile never hears the answer.
   * @param handle What the server does with the message each time that it comes.
   * @throws NoAnswer; whatever `handle` throws.
   */
  call<Reply>(client: Node, server: Node, handle: () => Promise<Reply>): Promise<Reply> {
    const { incarnation } = client;
    return new Promise((resolve, reject) => {
      const giveUp = (): void =>
        this.#kernel.at(
          this.#kernel.now + TIMEOUT_MS,
          client,
          () => {
            reject(new NoAnswer());
            return GOES_ON;
          },
          incarnation,
        );
      const answer = (settle: () => void): void => {
        const arrive = (): Promise<void> => {
          settle();
          return GOES_ON;
        };
        if (!this.#send(client, incarnation, arrive)) giveUp();
        server.mourners.delete(giveUp);
      };
      const deliver = (): Promise<void> | undefined => {
        if (!server.isUp) {
          giveUp();
          return undefined;
        }
        server.mourners.add(giveUp);
        handle().then(
          (reply) => answer(() => resolve(reply)),
          (error: unknown) => answer(() => reject(error)),
        );
        return GOES_ON;
      };
      if (!this.#send(undefined, 0, deliver)) return giveUp();
      if (this.#fate.strikes("network", TWICE)) {
        this.counts.repeated += 1;
        this.#send(undefined, 0, async () => {
          if (server.isUp) await handle().catch(() => undefined);
        });
      }
    });
  }

  /** False when the message is lost. */
  #send(to: Node | undefined, incarnation: number, arrive: () => Promise<void> | undefined): boolean {
    this.counts.messages += 1;
    const { random } = this.#kernel.cause;
    let latencyMs = FASTEST_MS + random.below(ORDINARY_MS);
    if (this.#fate.strikes("network", LOST)) {
      this.counts.lost += 1;
      return false;
    }
    if (this.#fate.strikes("network", LATE)) {
      this.counts.late += 1;
      latencyMs += random.below(LATEST_MS);
    }
    this.#kernel.at(this.#kernel.now + latencyMs, to, arrive, incarnation);
    return true;
  }
}
