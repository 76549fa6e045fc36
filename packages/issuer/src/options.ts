import { CodedError } from "@cairn/cose";
import type { IssuingPolicy } from "@cairn/issue";
import { type IssuerId, isIssuerId, MAXIMUM_NAME_BYTES, MAXIMUM_URL_BYTES } from "@cairn/messages";
import type { IssuerStore, StoreError } from "@cairn/stores";
import type { Clock, Random } from "./ports.ts";
import type { AttemptLimits } from "./services/attempt-limit.ts";
import type { ReceivingTerms } from "./services/receiving.ts";
import type { AccountSource, CreditSource } from "./sources/ports.ts";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/** How an issuer is started. Only the first five have no default. */
export type IssuerOptions = {
  /** Made when it is not there: database, keys, operator token. */
  readonly dataFolder: string;
  /** Opens the key file; chosen at the first start. At least eight characters. */
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
  /** Addresses of proxies in front, comma-separated: their word for a caller's address is believed. Default: none. */
  readonly trustedProxies?: string;
  /** Encoded COSE_Key of a root that is kept offline: trust lists are then brought to the server, signed. Default: the root key lies in the key file. */
  readonly offlineRootKey?: Uint8Array;
  readonly policy?: IssuingPolicy;
  /** A policy file, followed while the server runs. It takes the place of `policy`. */
  readonly policyFile?: string;
  /** How often the policy file is looked at. Default 2,000. */
  readonly policyIntervalMs?: number;
  /** Default "info". */
  readonly logLevel?: LogLevel;
  /** Where log lines go, one JSON object each. Default: standard output. */
  readonly logTo?: { write(line: string): void };
  /** Told what takes its time before the server listens: a database that is brought to this version. Default: nobody. */
  readonly progress?: (line: string) => void;
  /** Pause between looks into the inbox when it was empty. A call that brings records wakes the worker at once. Default 1,000. */
  readonly settleIntervalMs?: number;
  /** How often overdue payments are released and lists renewed. Default 60,000. */
  readonly housekeepingIntervalMs?: number;
  /** The operator's credit bureau. Default: credit is what the operator's calls set. */
  readonly creditSource?: CreditSource;
  /** The operator's core banking. Default: money and state are what the operator's calls say. */
  readonly accountSource?: AccountSource;
  /** What a source said is good for so long before it is asked again. Default 60. */
  readonly sourcesRefreshSeconds?: number;
  /** Devices that may listen for events at once. Default 1,000. */
  readonly pushConnections?: number;
  /** How often an open connection shows that it lives. Default 15,000; keep it below the idle limit of proxies. */
  readonly pushHeartbeatMs?: number;
  /** Failed enrolment attempts allowed. Defaults and their reason: services/attempt-limit.ts. */
  readonly enrolmentAttempts?: AttemptLimits;
  /** The ceilings of wallets that receive, or that none may. Default: services/receiving.ts. */
  readonly receiving?: ReceivingTerms | "off";
  /** Whether a payee's terminals may give back what was paid to it. Default true. */
  readonly tillRefunds?: boolean;
  /** A whole call, or one portion of a streamed upload, has to arrive within this time. Default 30,000. */
  readonly arrivalTimeoutMs?: number;
  /** Records that may wait to be settled; beyond them uploads are put off with INBOX_FULL. Default 1,000,000. */
  readonly inboxLimit?: number;
  readonly clock?: Clock;
  /** Milliseconds that only pass, against which jumps of `clock` are noticed. Default: the system's, for the system's clock; none for another. */
  readonly monotonicMs?: () => number;
  readonly random?: Random;
  /** Where the apps lie, each with its built files in NAME/dist. Default: this repository's apps. */
  readonly appsFolder?: string;
  /** Default: SQLite in the data folder. Closed together with the issuer. */
  readonly store?: IssuerStore;
  /**
   * "api": serves calls alone, beside the one process that is started without this; it settles nothing, keeps no house
   * and follows the keys and lists in the data folder. Needs a store for several processes. Default "all".
   */
  readonly role?: "all" | "api";
};

export type RunningIssuer = {
  /** Such as http://127.0.0.1:8471, without a trailing slash. */
  readonly url: string;
  readonly operatorToken: string;
  /** The apps that are served, each at `url/NAME/`: those that were built. */
  readonly apps: readonly string[];
  /**
   * Resolves, if ever, when the embedded database's disk failed to keep what was written: nothing is answered any more.
   * End the process and start it again; whatever was answered is there.
   */
  readonly storeLost: Promise<StoreError>;
  /** Takes no more calls, finishes those that run and the batch being settled, closes the store. Safe to call twice. */
  close(): Promise<void>;
};

export type OptionsCode = "ISSUER_ID_INVALID" | "ISSUER_NAME_INVALID" | "PUBLIC_URL_INVALID";

/** The issuer cannot be started with these options. */
export class OptionsError extends CodedError<OptionsCode> {}

/** @throws OptionsError */
export function checkOptions(options: IssuerOptions): IssuerId {
  const { issuerId, issuerName, publicUrl } = options;
  if (!isIssuerId(issuerId))
    throw new OptionsError("ISSUER_ID_INVALID", 'An issuer id has 1 to 16 characters of a-z, 0-9 and "-".');
  const nameBytes = Buffer.byteLength(issuerName);
  if (nameBytes === 0 || nameBytes > MAXIMUM_NAME_BYTES || issuerName !== issuerName.trim().normalize("NFC"))
    throw new OptionsError("ISSUER_NAME_INVALID", `An issuer's name has 1 to ${MAXIMUM_NAME_BYTES} bytes of text.`);
  const isUrl = publicUrl === undefined || (/^https?:\/\/[\x21-\x7e]+$/.test(publicUrl) && URL.canParse(publicUrl));
  if (!isUrl || (publicUrl?.length ?? 0) > MAXIMUM_URL_BYTES - "/v1/status-list".length)
    throw new OptionsError("PUBLIC_URL_INVALID", "The public address must be an http or https URL.");
  return issuerId;
}
