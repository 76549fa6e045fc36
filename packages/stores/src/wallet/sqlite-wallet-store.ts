import type { DatabaseSync } from "node:sqlite";
import {
  type Decision,
  type PaymentSelection,
  refuseWrite,
  type StoredPayment,
  type StoredWallet,
  type WalletStore,
  type WalletWrite,
  type WriteFacts,
} from "@cairn/pay";
import { openSharedFile } from "../shared-file.ts";
import { certificateFrom, identityFrom, paymentFrom } from "./wallet-rows.ts";
import { migrateWallet } from "./wallet-schema.ts";
import { prepareWalletStatements, type Statements } from "./wallet-statements.ts";

export const WALLET_FILE = "wallet.sqlite";

/**
 * A wallet in one SQLite file: WAL, flushed to the disk with every transaction (synchronous=FULL), so that a payment
 * that was shown survives the end of the process and of the power. Several processes may have it open: decisions run
 * inside BEGIN IMMEDIATE, one at a time. The device's private key is not in it. A copy of file and key is a cloned
 * device: nothing here prevents that, the conflict rule proves it.
 */
export class SqliteWalletStore implements WalletStore {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #facts: WriteFacts;

  /** @throws WalletFileError WALLET_FILE_TOO_NEW; the database's own errors when the file cannot be used. */
  constructor(path: string) {
    this.#database = openSharedFile(path);
    try {
      this.#inTransaction(() => migrateWallet(this.#database));
      this.#statements = prepareWalletStatements(this.#database);
    } catch (error) {
      this.#database.close();
      throw error;
    }
    const { identity, certificate, payment, paymentOfRequest } = this.#statements;
    this.#facts = {
      isEnrolled: () => identity.get() !== undefined,
      certificate: (certificateId) => {
        const row = certificate.get(certificateId);
        return row && certificateFrom(row);
      },
      payment: (paymentId) => {
        const row = payment.get(paymentId);
        return row && paymentFrom(row);
      },
      hasPaymentOfRequest: (requestId) => paymentOfRequest.get(requestId) !== undefined,
    };
  }

  async commit<Result>(load: PaymentSelection, decide: (wallet: StoredWallet) => Decision<Result>): Promise<Result> {
    return this.#inTransaction(() => {
      const identity = this.#statements.identity.get();
      const certificates = this.#statements.certificates.all().map(certificateFrom);
      const payments = this.#select(load);
      const { result, writes } = decide({ identity: identity && identityFrom(identity), certificates, payments });
      for (const write of writes) {
        refuseWrite(write, this.#facts);
        this.#apply(write);
      }
      return result;
    });
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #select(load: PaymentSelection): readonly StoredPayment[] {
    const { payments, unfinished, unshownOpen, paymentOfRequest, payment } = this.#statements;
    switch (load.kind) {
      case "none":
        return [];
      case "all":
        return payments.all().map(paymentFrom);
      case "unfinished":
        return unfinished.all().map(paymentFrom);
      case "unshown-open":
        return unshownOpen.all().map(paymentFrom);
      case "of-request":
        return paymentOfRequest.all(load.requestId).map(paymentFrom);
      case "ids":
        return [...new Set(load.paymentIds)].flatMap((paymentId) => payment.all(paymentId)).map(paymentFrom);
    }
  }

  #apply(write: WalletWrite): void {
    const statements = this.#statements;
    switch (write.kind) {
      case "identity": {
        const { deviceKey, rootKey, issuerId, issuerName, currency, trustList, statusList, newestSeen } =
          write.identity;
        const { addIdentity } = statements;
        addIdentity.run(deviceKey, rootKey, issuerId, issuerName, currency, trustList, statusList, newestSeen);
        return;
      }
      case "trust-list":
        statements.setTrustList.run(write.bytes);
        return;
      case "status-list":
        statements.setStatusList.run(write.bytes);
        return;
      case "newest-seen":
        statements.setNewestSeen.run(write.newestSeen);
        return;
      case "certificate":
        statements.addCertificate.run(write.certificateId, write.bytes, write.limitMinor);
        return;
      case "revoked":
        statements.setRevoked.run(write.certificateId);
        return;
      case "payment":
        this.#addPayment(write.payment);
        return;
      case "signature":
        statements.setSigned.run(write.signed, write.paymentId);
        return;
      case "shown":
        statements.setShown.run(write.paymentId);
        return;
      case "receipt":
        statements.setReceipt.run(write.receipt, write.payeeCertificate, write.paymentId);
        return;
      case "void":
        statements.setVoid.run(write.requestVoid, write.paymentId);
        return;
      case "outcome": {
        const { state, code, sentence, takenMinor, heardAt } = write.outcome;
        statements.setOutcome.run(state, code ?? null, sentence, takenMinor, heardAt, write.paymentId);
        return;
      }
      case "closing":
        statements.addClosing.run(write.draft, write.certificateId);
        return;
      case "closing-signature":
        statements.setClosing.run(write.signed, write.certificateId);
        return;
      case "closing-delivered":
        statements.setClosingDelivered.run(write.certificateId);
        return;
    }
  }

  #addPayment(payment: StoredPayment): void {
    const { paymentId, kind, certificateId, sequence, amountMinor, spentMinor, preparedAt, draft } = payment;
    const requestId = payment.requestId ?? null;
    const request = payment.request ?? null;
    const payee = payment.payeeCertificate ?? null;
    const { addPayment } = this.#statements;
    const chain = [certificateId, sequence, amountMinor, spentMinor] as const;
    addPayment.run(paymentId, kind, ...chain, preparedAt, requestId, draft, request, payee);
  }

  #inTransaction<Result>(work: () => Result): Result {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
