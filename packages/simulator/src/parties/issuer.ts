import { type CryptoPort, encodeCbor, publicKeyToCbor } from "@cairn/cose";
import type { IssuingPolicy } from "@cairn/issue";
import {
  AttemptLimit,
  Backups,
  currentPayeeCertificate,
  DEFAULT_RECEIVING,
  decodingCaches,
  enrolTerminal,
  InboxLimit,
  keepHouse,
  type Logger,
  makeNonce,
  openReceiving,
  Policies,
  PushChannel,
  ReceiverCredits,
  receiveUpload,
  refundFromTill,
  type ServerContext,
  SettlementWorker,
  Sources,
  StatusListPublisher,
  syncDevice,
  TrustListPublisher,
  tellOutcomes,
  verificationCaches,
} from "@cairn/issuer/services";
import type { IssuerId, ServerNonce } from "@cairn/messages";
import type { SyncBatch } from "@cairn/pay";
import type { IssuerStore } from "@cairn/stores";
import { Disk, type DiskCounts } from "../kernel/disk.ts";
import type { Fate } from "../kernel/fate.ts";
import { type Kernel, Node } from "../kernel/kernel.ts";
import type { Seeded } from "../kernel/seeded.ts";
import type { Signatures } from "../signatures.ts";
import { crashableIssuerStore, type OnIssuerWrite } from "./crashable-stores.ts";
import { SimulatedKeys } from "./issuer-keys.ts";

export const ISSUER_ID = "sim" as IssuerId;
const ISSUER_NAME = "Simulated issuer";
const ISSUER_URL = "https://issuer.invalid";
const STATUS_LIST_URL = `${ISSUER_URL}/v1/status-list`;
const SETTLE_AFTER_MS = 200;
const HOUSEKEEPING_MS = 6 * 3_600_000;

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export type IssuerParts = {
  readonly kernel: Kernel;
  readonly fate: Fate;
  readonly signatures: Signatures;
  /** Nonces, ids and secrets. */
  readonly random: Seeded;
  readonly policy: IssuingPolicy;
  readonly store: IssuerStore;
  readonly counts: DiskCounts;
  /** After each write. */
  readonly onWrite: OnIssuerWrite;
  /** The worker's log of faults of ours. */
  readonly onFault: (error: unknown) => void;
};

/** The issuer: the real services over the real store, as two programs that can each be killed, a server and a worker. */
export class SimulatedIssuer {
  readonly server = new Node("the server");
  readonly worker = new Node("the worker");
  readonly keys: SimulatedKeys;
  readonly #parts: IssuerParts;
  readonly #quiet: StatusListPublisher;
  /** Server and worker remember together what they decoded, as in one process: that is a matter of bytes alone. */
  readonly #decoding = decodingCaches(4_096);
  #trustList: Uint8Array | undefined;
  #context: ServerContext | undefined;
  #settlement: SettlementWorker | undefined;
  #isWoken = false;

  constructor(parts: IssuerParts) {
    this.#parts = parts;
    const { kernel, signatures, random } = parts;
    this.keys = new SimulatedKeys(signatures, random, Math.floor(kernel.now / 1_000));
    const { crypto } = signatures;
    this.#quiet = new StatusListPublisher({ uri: () => STATUS_LIST_URL, store: parts.store, keys: this.keys, crypto });
    this.server.onRestart = () => void this.#startServer();
    this.worker.onRestart = () => this.#startWorker();
  }

  async start(): Promise<void> {
    await this.#startServer();
    this.#startWorker();
    this.#housekeep();
  }

  get store(): IssuerStore {
    return this.#parts.store;
  }

  get crypto(): CryptoPort {
    return this.#parts.signatures.crypto;
  }

  nowSeconds(): number {
    return Math.floor(this.#parts.kernel.now / 1_000) + this.server.skewSeconds;
  }

  /** The server's services as they are now. */
  get context(): ServerContext {
    if (this.#context === undefined) throw new Error("The server was never started.");
    return this.#context;
  }

  // --- what the routes of the real server do, for one call each
  async nonce(): Promise<ServerNonce> {
    const { random, signatures } = this.#parts;
    const { crypto } = signatures;
    return makeNonce({ now: this.nowSeconds(), secret: this.keys.nonceSecret, random, crypto }).nonce;
  }

  async lists(): Promise<{ readonly trustList: Uint8Array; readonly statusList: Uint8Array }> {
    const { trustLists, statusLists } = this.context;
    const { bytes } = await statusLists.current(this.nowSeconds());
    return { trustList: trustLists.current().list.bytes, statusList: bytes };
  }

  /** The lists for an enrolment, which always goes well here: that is not what is looked at. */
  async quietLists(): Promise<{ readonly trustList: Uint8Array; readonly statusList: Uint8Array }> {
    const { bytes } = await this.#quiet.current(this.nowSeconds());
    return { trustList: this.context.trustLists.current().list.bytes, statusList: bytes };
  }

  async sync(body: Uint8Array, { holds, since }: Pick<SyncBatch, "holds" | "since">) {
    const { context } = this;
    const result = await syncDevice(body, { ahead: false, holds, since }, context);
    return { result, lists: await this.lists() };
  }

  async upload(body: Uint8Array) {
    const answer = await receiveUpload(body, this.context);
    return { ...answer, lists: await this.lists() };
  }

  openReceiving(body: Uint8Array) {
    return openReceiving(body, this.context);
  }

  async enrolTerminal(body: Uint8Array) {
    const terminal = await enrolTerminal({ body, address: "::1" }, this.context);
    const { bytes } = await currentPayeeCertificate(terminal, this.context);
    return { payeeCertificate: bytes, ...(await this.lists()) };
  }

  outcomes(body: Uint8Array) {
    return tellOutcomes(body, this.context);
  }

  refund(body: Uint8Array) {
    return refundFromTill(body, this.context);
  }

  rootKey(): Uint8Array {
    return encodeCbor(publicKeyToCbor(this.keys.rootKey));
  }

  /** Settles what waits in the inbox, soon. */
  wakeWorker(): void {
    if (this.#isWoken || !this.worker.isUp) return;
    this.#isWoken = true;
    this.#parts.kernel.after(SETTLE_AFTER_MS, this.worker, async () => {
      this.#isWoken = false;
      while (((await this.#settlement?.settleRound()) ?? 0) > 0);
    });
  }

  #ports(node: Node) {
    const { kernel, fate, counts, store, onWrite } = this.#parts;
    return crashableIssuerStore(store, new Disk({ kernel, fate, node, counts }), onWrite);
  }

  async #startServer(): Promise<void> {
    const { signatures, policy, random } = this.#parts;
    const { crypto } = signatures;
    const store = this.#ports(this.server);
    const clock = { nowSeconds: () => this.nowSeconds() };
    const { keys } = this;
    const log = SILENT;
    const trustLists = this.#trustLists();
    const statusLists = new StatusListPublisher({ uri: () => STATUS_LIST_URL, store, keys, crypto });
    const push: PushChannel = new PushChannel({
      store,
      log,
      answer: () => Promise.reject(new Error("Nobody listens here.")),
      maximumListeners: 0,
    });
    this.#context = {
      store,
      crypto,
      clock,
      random,
      log,
      keys,
      policies: await Policies.open({ store, clock, log, file: undefined, policy }),
      push,
      pushHeartbeatMs: 0,
      sources: new Sources({
        store,
        clock,
        log,
        creditSource: undefined,
        accountSource: undefined,
        refreshAfterSeconds: 3_600,
      }),
      decoding: this.#decoding,
      certificateIdCipher: keys.certificateIdCipher,
      nonceSecret: keys.nonceSecret,
      attempts: new AttemptLimit({ perAddressPerMinute: 1_000_000, overallPerMinute: 1_000_000 }),
      inboxLimit: new InboxLimit({ store, clock }),
      trustLists,
      statusLists,
      credits: new ReceiverCredits({ store, clock, log, onCredited: () => undefined }),
      receiving: DEFAULT_RECEIVING,
      tillRefunds: true,
      clockWatch: undefined,
      arrivalTimeoutMs: 0,
      wakeWorker: () => this.wakeWorker(),
      backups: new Backups({ folder: "", store, clock, log }),
    };
    await trustLists.refresh(this.nowSeconds());
  }

  #startWorker(): void {
    const { signatures, policy, onFault } = this.#parts;
    const trustLists = this.#trustLists();
    this.#settlement = new SettlementWorker({
      store: this.#ports(this.worker),
      crypto: signatures.crypto,
      clock: { nowSeconds: () => this.nowSeconds() },
      log: { ...SILENT, error: (facts) => onFault("err" in facts ? facts.err : facts) },
      certificateIdCipher: this.keys.certificateIdCipher,
      anchors: () => trustLists.current().settlementAnchors,
      caches: { ...verificationCaches(), decoding: this.#decoding },
      policy,
      intervalMs: SETTLE_AFTER_MS,
      onWithdrawn: () => undefined,
    });
    this.#isWoken = false;
    const settleFirst = trustLists.follow().then(() => this.wakeWorker());
    settleFirst.catch(onFault);
    // Another program's worker sees new keys and lists when it looks anew.
    this.#followKeys = () => trustLists.follow();
  }

  #followKeys: () => Promise<void> = async () => undefined;

  #housekeep(): void {
    const { kernel } = this.#parts;
    kernel.after(HOUSEKEEPING_MS, undefined, async () => {
      this.#housekeep();
      if (this.worker.isUp) await this.#followKeys();
      if (this.server.isUp) await keepHouse(this.context);
    });
  }

  /** What changed by the operator's hand is taken up by the worker at once. */
  followKeys(): Promise<void> {
    return this.worker.isUp ? this.#followKeys() : Promise.resolve();
  }

  /** One program's own publisher over the one file on the disk. */
  #trustLists(): TrustListPublisher {
    const file = {
      read: async () => this.#trustList,
      write: async (bytes: Uint8Array) => {
        this.#trustList = bytes;
      },
    };
    const identity = () => ({ issuerId: ISSUER_ID, issuerName: ISSUER_NAME, issuerUrl: ISSUER_URL });
    return new TrustListPublisher({ file, identity, keys: this.keys, crypto: this.crypto });
  }
}
