import { createHash } from "node:crypto";
import { openTerminal, type StoredSetup, type Terminal, type TerminalJournal } from "@cairn/collect";
import { encodeCbor, publicKeyToCbor, type Signer } from "@cairn/cose";
import { currentPayeeCertificate, ServiceError, type TillRefund } from "@cairn/issuer/services";
import {
  fromHex,
  joinRecords,
  MAXIMUM_RECORDS,
  type MessageId,
  type PayeeId,
  type ServerNonce,
  type TerminalId,
  terminalIdOf,
  writeSignedCall,
} from "@cairn/messages";
import { MemoryTerminalJournal } from "@cairn/stores";
import { Node, type VirtualTime } from "../kernel/kernel.ts";
import { NoAnswer } from "../kernel/network.ts";
import type { Seeded } from "../kernel/seeded.ts";
import { counted } from "../story.ts";
import { crashableJournal } from "./crashable-stores.ts";
import { clockOf, type Surroundings } from "./party.ts";

const TRIES = 3;
/** Records in one call: many calls find more than few. */
export const RECORDS = 100;

export type RefundOrder = {
  readonly paymentId: MessageId;
  readonly amountMinor: bigint;
  /** Makes it happen once, however often it is sent. */
  readonly key: string;
};

/** A payee's till or gate. */
export class SimulatedTerminal {
  readonly node: Node;
  readonly name: string;
  /** A person's wallet that receives, not a till. */
  readonly isOnPhone: boolean;
  readonly payeeId: PayeeId;
  readonly signer: Signer;
  readonly terminalId: TerminalId;
  readonly durable: TerminalJournal = new MemoryTerminalJournal();
  app: Terminal;
  /** Kept from the network until then. */
  awayUntil: VirtualTime = 0;
  readonly #in: Surroundings;
  readonly #random: Seeded;

  constructor(
    surroundings: Surroundings,
    about: {
      readonly name: string;
      readonly payeeId: PayeeId;
      readonly signer: Signer;
      readonly random: Seeded;
      /** The phone on which it runs; undefined of a till, which is a device of its own. */
      readonly node?: Node;
    },
  ) {
    this.#in = surroundings;
    this.#random = about.random;
    this.node = about.node ?? new Node(about.name);
    this.name = about.name;
    this.isOnPhone = about.node !== undefined;
    this.payeeId = about.payeeId;
    this.signer = about.signer;
    this.terminalId = terminalIdOf(about.signer.publicKey, surroundings.signatures.crypto);
    this.app = this.#newApp();
    const { onRestart } = this.node;
    this.node.onRestart = () => {
      onRestart();
      this.app = this.#newApp();
    };
  }

  async enrol(): Promise<void> {
    const { issuer } = this.#in;
    const { store } = issuer;
    const at = issuer.nowSeconds();
    const codeHash = createHash("sha256").update(`code of ${this.name}`).digest("hex");
    await store.createEnrolmentCode({ codeHash, for: { payeeId: this.payeeId }, expiresAt: at + 60 });
    const publicKey = encodeCbor(publicKeyToCbor(this.signer.publicKey));
    const { terminalId } = this;
    const enrolled = await store.enrolTerminal({ codeHash, terminalId, publicKey, label: "till", at });
    if (typeof enrolled === "string") throw new Error(`A terminal was not enrolled: ${enrolled}.`);
    const { bytes } = await currentPayeeCertificate(enrolled, issuer.context);
    await this.takeHome({ ...(await issuer.quietLists()), payeeCertificate: bytes });
  }

  /** What an enrolment answers. */
  async takeHome(answer: Pick<StoredSetup, "trustList" | "statusList" | "payeeCertificate">): Promise<void> {
    const { issuer, truth } = this.#in;
    truth.terminals.set(this.terminalId, this);
    const outcome = await this.app.enrol({ rootKey: issuer.rootKey(), ...answer });
    if (outcome.kind === "refused") throw new Error(`A terminal refused to enrol: ${outcome.refusal.code}.`);
  }

  /** Brings what it accepted, takes home lists and outcomes. */
  async upload(which: "unanswered" | "unsettled" = "unanswered"): Promise<void> {
    const { tell, kernel } = this.#in;
    if (kernel.now < this.awayUntil) return;
    try {
      const brought = await this.#bring(which);
      await this.#ask();
      if (brought > 0) tell(() => `${this.name} is online, uploads ${counted(brought, "record")}`);
    } catch (error) {
      if (error instanceof NoAnswer) return tell(() => `${this.name} got no answer from the server`);
      if (error instanceof ServiceError) return tell(() => `${this.name} is turned away by the server: ${error.code}`);
      throw error;
    }
  }

  async #bring(which: "unanswered" | "unsettled"): Promise<number> {
    const { issuer, truth } = this.#in;
    const { app } = this;
    let brought = 0;
    for (;;) {
      const upload = await app.buildUpload({ limit: RECORDS, which });
      const content = joinRecords(upload.records);
      const { records, payeeCertificate, lists } = await this.#call("upload", content, (body) => {
        truth.sent({ kind: "upload", body });
        return issuer.upload(body);
      });
      const answers = records.map(({ paymentId, fault }, index) => ({
        index,
        paymentId: paymentId ?? null,
        state: fault === undefined ? ("received" as const) : ("refused" as const),
        code: fault?.code ?? null,
        sentence: fault?.sentence ?? null,
      }));
      await app.applyUploadAnswer(upload, { records: answers, payeeCertificate, ...lists });
      brought += upload.records.length;
      if (upload.records.length < RECORDS || which === "unsettled") return brought;
    }
  }

  async #ask(): Promise<void> {
    const { issuer, truth } = this.#in;
    const { app } = this;
    const ids = await app.paymentsToAsk(MAXIMUM_RECORDS);
    if (ids.length === 0) return;
    const outcomes = await this.#call("outcomes", encodeCbor(ids.map(fromHex)), (body) => issuer.outcomes(body));
    const told = outcomes.map((outcome) => ({ ...outcome, takenMinor: BigInt(outcome.takenMinor) }));
    truth.heard(this, told);
    await app.applyOutcomes(told);
  }

  /**
   * Gives back what was paid to this payee.
   * @throws NoAnswer, ServiceError
   */
  refund({ paymentId, amountMinor, key }: RefundOrder): Promise<TillRefund> {
    const content = encodeCbor([fromHex(paymentId), Number(amountMinor), key]);
    return this.#call("refund", content, (body) => this.#in.issuer.refund(body));
  }

  async #call<Reply>(
    purpose: "upload" | "outcomes" | "refund",
    content: Uint8Array,
    handle: (body: Uint8Array) => Promise<Reply>,
  ): Promise<Reply> {
    const { network, issuer, signatures, kernel } = this.#in;
    for (let tried = 1; ; tried += 1) {
      try {
        const nonce: ServerNonce = await network.call(this.node, issuer.server, () => issuer.nonce());
        const issuedAt = clockOf({ kernel }, this.node).nowSeconds();
        const body = await writeSignedCall(
          purpose,
          { callerId: this.terminalId, nonce, content, issuedAt },
          { signer: this.signer, crypto: signatures.crypto },
        );
        return await network.call(this.node, issuer.server, () => handle(body));
      } catch (error) {
        const again = error instanceof NoAnswer || (error instanceof ServiceError && error.code === "NONCE_INVALID");
        if (!again || tried === TRIES) throw error;
      }
    }
  }

  #newApp(): Terminal {
    const { signatures, diskOf, truth, collectPolicy } = this.#in;
    return openTerminal({
      journal: crashableJournal(
        this.durable,
        diskOf(this.node),
        ({ acceptance }) => truth.acceptedBy(this, acceptance),
        (setup) => truth.listsTaken(this, setup),
        (paymentId, takenMinor) => truth.captured(this, paymentId, takenMinor),
      ),
      signer: this.signer,
      crypto: signatures.crypto,
      clock: clockOf(this.#in, this.node),
      random: this.#random,
      policy: collectPolicy,
    });
  }
}
