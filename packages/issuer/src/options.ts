import type { IssuingPolicy } from "@cairn/issue";
import type { IssuerStore } from "@cairn/stores";
import type { Clock, Random } from "./ports.ts";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/** How an issuer is started. Only the first six have no default. */
export type IssuerOptions = {
  /** Made when it is not there: database, keys, operator token. */
  readonly dataFolder: string;
  /** Opens the key file; chosen at the first start. */
  readonly passphrase: string;
  /** 0 lets the system choose; the chosen one is in `RunningIssuer.url`. */
  readonly port: number;
  /** 1 to 16 characters of a-z, 0-9 and "-". */
  readonly issuerId: string;
  /** Shown to people, at most 40 bytes. */
  readonly issuerName: string;
  /** Default 127.0.0.1: whoever offers it to a network puts TLS in front of it. */
  readonly host?: string;
  /** Where devices reach the issuer, as written into the trust list. Default: the address listened on. */
  readonly publicUrl?: string;
  readonly policy?: IssuingPolicy;
  /** Default "info". */
  readonly logLevel?: LogLevel;
  /** Where log lines go, one JSON object each. Default: standard output. */
  readonly logTo?: { write(line: string): void };
  /** Pause between looks into the inbox when it was empty. A call that brings records wakes the worker at once. Default 1,000. */
  readonly settleIntervalMs?: number;
  /** How long a payment known from the payer alone stays pending after its certificate's expiry. Default: the policy's upload deadline. */
  readonly pendingDeadlineSeconds?: number;
  /** Failed enrolment attempts allowed. Defaults and their reason: services/attempt-limit.ts. */
  readonly enrolmentAttempts?: { readonly perAddressPerMinute: number; readonly overallPerMinute: number };
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: SQLite in the data folder. */
  readonly store?: IssuerStore;
};

export type RunningIssuer = {
  /** Such as http://127.0.0.1:8471, without a trailing slash. */
  readonly url: string;
  readonly operatorToken: string;
  /** Takes no more calls, finishes those that run and the batch being settled, closes the store. Safe to call twice. */
  close(): Promise<void>;
};
