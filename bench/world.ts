import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DEFAULT_COLLECT_POLICY, openTerminal, type Terminal } from "@cairn/collect";
import { encodeCbor, publicKeyToCbor, type Signer } from "@cairn/cose";
import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import { DEFAULT_POLICY } from "@cairn/issue";
import {
  amount,
  chainHashOf,
  currency,
  deviceIdOf,
  identifier,
  joinRecords,
  MAXIMUM_RECORDS,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  payeeCertificate,
  payment,
  paymentRequest,
  readCode,
  requestHashOf,
  restoreVerified,
  signMessage,
  splitRecords,
  statusBits,
  statusList,
  type TerminalId,
  terminalIdOf,
  type UserCertificate,
  userCertificate,
  type Verified,
  writeCode,
} from "@cairn/messages";
import { type DeviceRecord, type IssuerStore, openSqliteTerminalJournal, SqliteIssuerStore } from "@cairn/stores";
import { openIssuerKeys } from "../packages/issuer/src/keys/issuer-keys.ts";
import { TrustListPublisher, trustListFile } from "../packages/issuer/src/lists/trust-list-publisher.ts";
import { fixedPolicy } from "../packages/issuer/src/policy/policy-source.ts";
import { systemClock, systemRandom } from "../packages/issuer/src/ports.ts";
import { takeIn } from "../packages/issuer/src/services/intake.ts";
import { issueCertificate } from "../packages/issuer/src/services/issuing.ts";
import { verificationCaches } from "../packages/issuer/src/settlement/context.ts";
import { VerificationPool } from "../packages/issuer/src/settlement/verification-pool.ts";
import { SettlementWorker } from "../packages/issuer/src/settlement/worker.ts";
import { signOnAllCores } from "./chains.ts";

/** A real issuer's store, keys and worker, a real terminal's journal, and many payers, without the HTTP between them. */
export type World = {
  /** One certificate for every payer, so many of them online at the same moment. */
  issueAll(atOnce?: number): Promise<void>;
  payAll(): Promise<void>;
  acceptSome(count: number): Promise<void>;
  /** Signs every payer's payments and puts them together as a terminal uploads them: first payments first. */
  signChains(): Promise<void>;
  /**
   * Uploads the next `count` records, a number of whole uploads or what is left, and, as a server does, settles them
   * meanwhile; ends when all of them are settled.
   */
  settleAll(count: number): Promise<void>;
  checkSettled(count: number): Promise<void>;
  close(): Promise<void>;
};

type Payer = {
  readonly device: DeviceRecord;
  readonly signer: ReturnType<typeof generateNodeSigner>;
  certificate: Verified<UserCertificate> | undefined;
};

const EUR = currency("EUR");
const PRICE_MINOR = 10n;
const PAYEE = "BENCH" as PayeeId;
/** As many bring their uploads at once: while one waits for the disk or the database, the next is looked at. */
const TILLS = 4;
/**
 * Whether all is settled that was uploaded: asked seldom while much waits, since a database counts it, and at the latest
 * when what waits could be settled at this rate, which none reaches: the clock of a round stops with its last payment.
 */
const MOST_PER_MS = 100;
const SHORTEST_LOOK_MS = 10;
const LONGEST_LOOK_MS = 200;
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (facts: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
};
const crypto = nodeCrypto();
const random = systemRandom;
const clock = systemClock;

export async function buildWorld(
  folder: string,
  size: { readonly accounts: number; readonly paymentsEach: number },
  store: IssuerStore = new SqliteIssuerStore(join(folder, "issuer.sqlite")),
): Promise<World> {
  const now = clock.nowSeconds();
  const keys = await openIssuerKeys({
    dataFolder: folder,
    passphrase: "a benchmark of one run",
    mayCreate: true,
    now,
    random,
    crypto,
  });
  const identity = () => ({ issuerId: "bench" as never, issuerName: "Bench", issuerUrl: "http://127.0.0.1:1" });
  const trustLists = new TrustListPublisher({ file: trustListFile(folder), identity, keys, crypto });
  await trustLists.refresh(now);
  const { anchors } = trustLists.current();
  await createPayee(store, now);
  const till = generateNodeSigner();
  const tillIds = [await enrolTill(store, till, now)];
  while (tillIds.length < TILLS) tillIds.push(await enrolTill(store, generateNodeSigner(), now));
  const payee = await signMessage(payeeCertificate, payeeContent(keys.active(now).keyId, till, now), {
    signer: keys.active(now).signer,
    crypto,
  });
  const { payeeCertificateId, issuedAt, expiresAt } = payee.content;
  await store.recordPayeeCertificate({
    payeeCertificateId,
    terminalId: terminalIdOf(till.publicKey, crypto),
    bytes: payee.bytes,
    issuedAt,
    expiresAt,
  });
  const payers = await enrolPayers(store, size.accounts, now);
  const terminal = await openTill(folder, till, {
    rootKey: encodeCbor(publicKeyToCbor(keys.rootKey)),
    trustList: anchors.list.bytes,
    statusList: await emptyStatusList(keys.active(now), now),
    payeeCertificate: payee.bytes,
  });
  const portions: Uint8Array[] = [];
  const offered: string[] = [];
  const pool = new VerificationPool();
  const caches = verificationCaches();
  const worker = new SettlementWorker({
    store,
    crypto,
    clock,
    log,
    certificateIdCipher: keys.certificateIdCipher,
    pool,
    caches,
    anchors: () => anchors,
    policy: DEFAULT_POLICY,
    intervalMs: 1_000,
    onWithdrawn: () => undefined,
  });

  const policies = fixedPolicy(DEFAULT_POLICY);
  async function signChains(): Promise<void> {
    const chains = await signOnAllCores({
      payeeCertificate: payee.bytes,
      till: till.privateKeyPkcs8,
      priceMinor: PRICE_MINOR,
      payments: size.paymentsEach,
      payers: payers.map(({ signer, certificate }, index) => {
        if (certificate === undefined) throw new Error("The payer has no certificate.");
        return { index, privateKey: signer.privateKeyPkcs8, certificate: certificate.bytes };
      }),
    });
    const records = Array.from({ length: size.paymentsEach }, (_, sequence) =>
      chains.map((chain) => chain[sequence] as Uint8Array),
    ).flat();
    for (let start = 0; start < records.length; start += MAXIMUM_RECORDS)
      portions.push(joinRecords(records.slice(start, start + MAXIMUM_RECORDS)));
  }

  return {
    issueAll: async (atOnce = 1) => {
      const waiting = payers.values();
      const issueNext = async (): Promise<void> => {
        const next = waiting.next();
        if (next.done === true) return;
        const payer = next.value;
        const { issued, decision } = await issueCertificate(
          payer.device,
          { kind: "device-online" },
          { store, keys, policies, crypto, clock, log },
        );
        if (issued === undefined)
          throw new Error(
            `No certificate: ${JSON.stringify(decision, (_, value) => (typeof value === "bigint" ? String(value) : value))}`,
          );
        payer.certificate = restoreVerified(userCertificate, issued.bytes, crypto);
        return issueNext();
      };
      await Promise.all(Array.from({ length: atOnce }, issueNext));
    },
    signChains,
    payAll: async () => {
      await signChains();
      offered.push(...(await offersFor(terminal.terminal, payers)));
    },
    acceptSome: async (count) => {
      for (let index = 0; index < count; index++) {
        const outcome = await terminal.terminal.accept(offered[index] ?? "");
        if (outcome.kind !== "accepted") throw new Error(`Not accepted: ${outcome.refusal.code}`);
      }
    },
    settleAll: async (count) => {
      const receivedAt = clock.nowSeconds();
      const intake = { crypto, certificateIdCipher: keys.certificateIdCipher, decoding: caches.decoding };
      const uploads = portions.splice(0, Math.ceil(count / MAXIMUM_RECORDS)).values();
      const bring = async (senderId: TerminalId): Promise<void> => {
        const bringer = { sender: { kind: "terminal", payeeId: PAYEE }, senderId, receivedAt } as const;
        for (const upload of uploads) {
          await store.receive(splitRecords(upload).map((bytes) => takeIn(bytes, bringer, intake).row));
          worker.wake();
        }
      };
      worker.start();
      await Promise.all(tillIds.map(bring));
      for (let waiting = await store.waitingRecords(); waiting > 0; waiting = await store.waitingRecords())
        await setTimeout(Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, waiting / MOST_PER_MS)));
    },
    checkSettled: async (count) => {
      const cleared = await store.ledgerBalances("clearing");
      const sumMinor = cleared.reduce((sum, { minor }) => sum + minor, 0n);
      if (sumMinor !== -PRICE_MINOR * BigInt(count)) throw new Error(`Not everything was settled: ${sumMinor}`);
    },
    close: async () => {
      await terminal.close();
      await worker.stop();
      await store.close();
    },
  };
}

async function createPayee(store: IssuerStore, at: number): Promise<void> {
  await store.createPayee({
    payeeId: PAYEE,
    name: "Bench",
    currency: EUR,
    perPaymentCapMinor: 10_000n,
    storedTotalCapMinor: 500_000_000n,
    perCertificateCapMinor: 10_000n,
    maximumOfflineSeconds: 604_800,
    createdAt: at,
  });
}

async function enrolTill(store: IssuerStore, till: Signer, at: number): Promise<TerminalId> {
  const terminalId = terminalIdOf(till.publicKey, crypto);
  const codeHash = `aa${terminalId.repeat(4).slice(2)}`;
  await store.createEnrolmentCode({ codeHash, for: { payeeId: PAYEE }, expiresAt: at + 3600 });
  await store.enrolTerminal({
    codeHash,
    terminalId,
    publicKey: encodeCbor(publicKeyToCbor(till.publicKey)),
    label: "till",
    at,
  });
  return terminalId;
}

async function enrolPayers(store: IssuerStore, count: number, at: number): Promise<Payer[]> {
  const payers: Payer[] = [];
  for (let index = 0; index < count; index++) {
    const signer = generateNodeSigner();
    const account = await store.createAccount({ name: `payer ${index}`, currency: EUR, createdAt: at });
    await store.topUp({ account, amountMinor: 10_000n, idempotencyKey: `first-${index}`, at });
    await store.setCredit(account, { lineMinor: 10_000n, overdueMinor: 0n, scoreBand: "A", informedAt: at });
    const codeHash = index.toString(16).padStart(64, "0");
    await store.createEnrolmentCode({ codeHash, for: { account }, expiresAt: at + 3600 });
    const device = await store.enrolDevice({
      codeHash,
      deviceId: deviceIdOf(signer.publicKey, crypto),
      publicKey: encodeCbor(publicKeyToCbor(signer.publicKey)),
      protection: 3,
      label: "phone",
      at,
    });
    if (typeof device === "string") throw new Error(device);
    payers.push({ device, signer, certificate: undefined });
  }
  return payers;
}

function payeeContent(issuerKeyId: PayeeCertificate["issuerKeyId"], till: Signer, now: number): PayeeCertificate {
  return {
    issuerKeyId,
    payeeCertificateId: identifier<PayeeCertificateId>(random.bytes(8), 8),
    payeeId: PAYEE,
    terminalKey: till.publicKey,
    issuedAt: now,
    expiresAt: now + 90 * 86_400,
    terms: {
      name: "Bench",
      currency: EUR,
      perPaymentCapMinor: 10_000n,
      storedTotalCapMinor: 500_000_000n,
      perCertificateCapMinor: 10_000n,
      maximumOfflineSeconds: 604_800,
    },
  };
}

async function emptyStatusList(
  key: { readonly keyId: PayeeCertificate["issuerKeyId"]; readonly signer: Signer },
  now: number,
): Promise<Uint8Array> {
  const content = {
    issuerKeyId: key.keyId,
    uri: "http://127.0.0.1:1/v1/status-list",
    issuedAt: now,
    expiresAt: now + 604_800,
    timeToLiveSeconds: 3600,
    bits: statusBits({ size: 8, revoked: [] }),
  };
  return (await signMessage(statusList, content, { signer: key.signer, crypto })).bytes;
}

async function openTill(
  folder: string,
  signer: Signer,
  setup: { rootKey: Uint8Array; trustList: Uint8Array; statusList: Uint8Array; payeeCertificate: Uint8Array },
): Promise<{ terminal: Terminal; close(): Promise<void> }> {
  const journal = openSqliteTerminalJournal(folder);
  const terminal = openTerminal({
    journal,
    signer,
    crypto,
    clock,
    random,
    policy: { ...DEFAULT_COLLECT_POLICY, requestValiditySeconds: 3_600 },
  });
  const enrolled = await terminal.enrol(setup);
  if (enrolled.kind === "refused") throw new Error(enrolled.refusal.code);
  return { terminal, close: () => journal.close() };
}

/** Payment codes for requests of the terminal, each payer in turn: what a till sees on a busy day. */
async function offersFor(terminal: Terminal, payers: readonly Payer[]): Promise<string[]> {
  const offers: string[] = [];
  for (let sequence = 1; sequence <= 6; sequence++) {
    for (const { certificate, signer } of payers) {
      if (certificate === undefined) throw new Error("The payer has no certificate.");
      const charged = await terminal.charge({ amount: amount(PRICE_MINOR, EUR) });
      if (charged.kind === "refused") throw new Error(charged.refusal.code);
      const request = restoreVerified(paymentRequest, readCode(charged.codeText).message, crypto);
      const content = {
        certificateId: certificate.content.certificateId,
        sequence,
        previous: chainHashOf(certificate.messageId),
        amountMinor: PRICE_MINOR,
        spentMinor: PRICE_MINOR * BigInt(sequence),
        issuedAt: request.content.issuedAt,
        requestHash: requestHashOf(request.messageId),
      };
      const paid = await signMessage(payment, content, { signer, crypto });
      offers.push(writeCode({ type: "payment", certificate: certificate.bytes, message: paid.bytes }));
    }
  }
  return offers;
}
