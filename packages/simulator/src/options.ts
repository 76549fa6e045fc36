import type { FaultKind } from "./faults.ts";

export type SimulationOptions = {
  readonly seed: string;
  readonly days: number;
  readonly wallets: number;
  readonly terminals: number;
  /** On average, for each wallet and day. */
  readonly paymentsPerDay: number;
  readonly faults: ReadonlySet<FaultKind>;
  /** ES256 by the platform instead of keyed checksums. */
  readonly realSignatures: boolean;
  /** `sqlite`: the issuer's store is the real SQLite one, in a folder of its own. */
  readonly store: "memory" | "sqlite";
  /** Only these items of the plan and strikes of fate: undefined for all. */
  readonly only: ReadonlySet<string> | undefined;
  /** Puts down what happens, in words. */
  readonly isTold: boolean;
};

export const DEFAULT_OPTIONS = {
  days: 7,
  wallets: 100,
  terminals: 20,
  paymentsPerDay: 3,
} as const;
