import type { AcceptanceWrite, Decision as Decided, StoredSetup, TerminalJournal } from "@cairn/collect";
import type { MessageId } from "@cairn/messages";
import type { Decision, PaymentSelection, StoredWallet, WalletStore, WalletWrite } from "@cairn/pay";
import type { IssuerStore } from "@cairn/stores";
import type { Disk } from "../kernel/disk.ts";
import { never } from "../kernel/kernel.ts";

/**
 * The real stores as one incarnation of a program sees them: behind a disk that can lose what it has not yet synced.
 * Stores in memory decide before they answer, so that the disk's word is there as soon as theirs.
 */

/** What a store answers, once the disk has acknowledged what was written. */
const behind = <Result>(answer: Promise<Result>, acknowledged: Promise<void> | undefined): Promise<Result> =>
  acknowledged === undefined ? answer : Promise.all([answer, acknowledged]).then(([result]) => result);

export function crashableWalletStore(
  durable: WalletStore,
  disk: Disk,
  onKept: (writes: readonly WalletWrite[]) => void,
): WalletStore {
  return {
    commit<Result>(load: PaymentSelection, decide: (wallet: StoredWallet) => Decision<Result>): Promise<Result> {
      if (disk.isGone) return never();
      let acknowledged: Promise<void> | undefined;
      const answer = durable.commit(load, (wallet) => {
        const decision = decide(wallet);
        if (decision.writes.length === 0) return decision;
        const written = disk.write(decision.writes.length);
        acknowledged = written.acknowledged;
        if (!written.isKept) return { result: decision.result, writes: [] };
        onKept(decision.writes);
        return decision;
      });
      return behind(answer, acknowledged);
    },
    close: async () => undefined,
  };
}

/** What becomes of a decision on its way to the disk. */
type Keep = <Result, Write>(
  decision: Decided<Result, Write>,
  onKept?: (write: Write) => void,
) => Decided<Result, Write>;

/**
 * @param onAccepted Told of each acceptance that is on the disk. @param onSetup Of each setup that is to be written.
 * @param onCaptured Of each amount that is fixed later and is on the disk.
 */
export function crashableJournal(
  durable: TerminalJournal,
  disk: Disk,
  onAccepted: (write: AcceptanceWrite & { readonly kind: "accept" }) => void,
  onSetup: (setup: StoredSetup) => void,
  onCaptured: (paymentId: MessageId, takenMinor: bigint) => void,
): TerminalJournal {
  const write = <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (disk.isGone) return never();
    const { isKept, acknowledged } = disk.write(1);
    return isKept ? behind(work(), acknowledged) : never();
  };
  /** Looks, and writes what the decision says, if anything. */
  const decided = <Result>(commit: (keep: Keep) => Promise<Result>): Promise<Result> => {
    if (disk.isGone) return never();
    let acknowledged: Promise<void> | undefined;
    const answer = commit((decision, onKept) => {
      if (decision.write === undefined) return decision;
      const written = disk.write(1);
      acknowledged = written.acknowledged;
      if (!written.isKept) return { result: decision.result };
      onKept?.(decision.write);
      return decision;
    });
    return behind(answer, acknowledged);
  };
  const read = <Result>(work: () => Promise<Result>): Promise<Result> => (disk.isGone ? never() : work());
  return {
    close: async () => undefined,
    marks: () => read(() => durable.marks()),
    setup: () => read(() => durable.setup()),
    replaceSetup: (setup, expected) => {
      onSetup(setup);
      return write(() => durable.replaceSetup(setup, expected));
    },
    payeeCertificate: (id) => read(() => durable.payeeCertificate(id)),
    recordRequest: (request) => write(() => durable.recordRequest(request)),
    request: (requestId) => read(() => durable.request(requestId)),
    decideVoid: (requestId, decide) =>
      decided((keep) => durable.decideVoid(requestId, (request) => keep(decide(request)))),
    keepVoid: (requestId, bytes) => write(() => durable.keepVoid(requestId, bytes)),
    decideAcceptance: (about, decide) =>
      decided((keep) =>
        durable.decideAcceptance(about, (view) =>
          keep(decide(view), (kept) => {
            if (kept.kind === "accept") onAccepted(kept);
          }),
        ),
      ),
    acceptance: (paymentId) => read(() => durable.acceptance(paymentId)),
    decideCapture: (paymentId, decide) =>
      decided((keep) =>
        durable.decideCapture(paymentId, (acceptance) =>
          keep(decide(acceptance), ({ takenMinor }) => onCaptured(paymentId, takenMinor)),
        ),
      ),
    keepCapture: (paymentId, bytes) => write(() => durable.keepCapture(paymentId, bytes)),
    toUpload: (wish) => read(() => durable.toUpload(wish)),
    toAsk: (limit, guest) => read(() => durable.toAsk(limit, guest)),
    recordAnswers: (answers, merge) => write(() => durable.recordAnswers(answers, merge)),
    recordVoidAnswers: (ids, at, guest) => write(() => durable.recordVoidAnswers(ids, at, guest)),
    stored: () => read(() => durable.stored()),
    refusedCounts: () => read(() => durable.refusedCounts()),
    acceptances: (filter) => read(() => durable.acceptances(filter)),
    requests: (filter) => read(() => durable.requests(filter)),
    refusedPayments: (filter) => read(() => durable.refusedPayments(filter)),
    tally: (range) => read(() => durable.tally(range)),
  };
}

/** What of the issuer's store writes: each is one transaction. */
const ISSUER_WRITES: ReadonlySet<string> = new Set<keyof IssuerStore>([
  "createAccount",
  "setAccountStatus",
  "setCredit",
  "topUp",
  "createEnrolmentCode",
  "forgetExpiredCodes",
  "enrolDevice",
  "enrolTerminal",
  "setDeviceStatus",
  "setTerminalStatus",
  "createPayee",
  "recordPayeeCertificate",
  "prepareCertificate",
  "recordIssued",
  "recordClosing",
  "revokeCertificate",
  "restoreCertificate",
  "receive",
  "postpone",
  "recordVoid",
  "settle",
  "releaseOverdue",
  "resolveConflicts",
  "move",
  "useNonce",
  "closeStatements",
]);

/** Told of each write that is on the disk, before its writer hears of it: who waits, waits for what it answers. */
export type OnIssuerWrite = (method: string, args: readonly unknown[]) => Promise<void> | undefined;

export function crashableIssuerStore(durable: IssuerStore, disk: Disk, onWrite: OnIssuerWrite): IssuerStore {
  const methods: Record<string, Method> = {};
  for (const name of methodsOf(durable)) {
    const method: Method = Reflect.get(durable, name).bind(durable);
    methods[name] = ISSUER_WRITES.has(name)
      ? async (...args) => {
          if (disk.isGone) return never();
          const { isKept, acknowledged } = disk.write(1);
          if (!isKept) return never();
          const result = await method(...args);
          const seen = onWrite(name, args);
          if (seen !== undefined) await seen;
          if (acknowledged !== undefined) await acknowledged;
          return result;
        }
      : (...args) => (disk.isGone ? never() : method(...args));
  }
  // Engines find what lies in a prototype fastest.
  return Object.create(methods);
}

type Method = (...args: unknown[]) => Promise<unknown>;

function methodsOf(store: IssuerStore): Set<string> {
  const names = new Set<string>();
  for (let at: object = store; at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === "function" && name !== "constructor") names.add(name);
  return names;
}
