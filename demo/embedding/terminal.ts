import { randomBytes } from "node:crypto";
import { DEFAULT_COLLECT_POLICY, openTerminal, type Terminal } from "@cairn/collect";
import type { Signer } from "@cairn/cose";
import { nodeCrypto, openSignatureBatches } from "@cairn/cose/node";
import { IssuerClient } from "@cairn/issuer/client";
import { amount, currency } from "@cairn/messages";
import { openSqliteTerminalJournal, type SqliteTerminalJournal } from "@cairn/stores";

/** A payee's terminal in its smallest form. */
export class EmbeddedTerminal {
  readonly #journal: SqliteTerminalJournal;
  readonly #terminal: Terminal;
  readonly #client: IssuerClient;

  /** @param signer The terminal's key, the same at every start. */
  constructor(folder: string, signer: Signer, issuerUrl: string) {
    const crypto = nodeCrypto();
    this.#journal = openSqliteTerminalJournal(folder);
    this.#terminal = openTerminal({
      journal: this.#journal,
      signer,
      crypto,
      // Where the platform has it: the issuer then verifies many of this terminal's payments at once.
      signatures: openSignatureBatches,
      clock: { nowSeconds: () => Math.floor(Date.now() / 1000) },
      random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
      policy: DEFAULT_COLLECT_POLICY,
    });
    this.#client = new IssuerClient({ url: issuerUrl, signer, crypto });
  }

  /** Online, once. */
  async enrol(code: string): Promise<void> {
    const answer = await this.#client.enrolTerminal({ code, protection: 0, label: "embedded terminal" });
    const enrolled = await this.#terminal.enrol(answer);
    if (enrolled.kind === "refused") throw new Error(enrolled.refusal.sentence);
  }

  /** Offline. A code to show, or why there is none. */
  async ask(minor: bigint): Promise<string> {
    const asked = await this.#terminal.charge({ amount: amount(minor, currency("EUR")) });
    return asked.kind === "refused" ? asked.refusal.sentence : asked.codeText;
  }

  /** Offline. The one question that matters at a till: is the money safe? */
  async take(paymentCode: string): Promise<{ readonly isSafe: boolean; readonly show: string }> {
    const outcome = await this.#terminal.accept(paymentCode);
    if (outcome.kind === "refused") return { isSafe: false, show: outcome.refusal.sentence };
    // Accepted is on the disk by now. Guaranteed means that the issuer's promise covers it.
    return { isSafe: outcome.guaranteed, show: outcome.receiptCode ?? "" };
  }

  /** Online, whenever there is a line: brings payments in, takes fresh lists home. May be cut off anywhere. */
  async upload(): Promise<number> {
    let received = 0;
    for (;;) {
      const upload = await this.#terminal.buildUpload({ limit: 250 });
      const applied = await this.#terminal.applyUploadAnswer(upload, await this.#client.upload(upload.records));
      received += applied.received;
      if (upload.items.length === 0 || applied.unanswered === upload.items.length) return received;
    }
  }

  /** Online: what became of what was brought in. */
  async outcomes(): Promise<readonly string[]> {
    const paymentIds = await this.#terminal.paymentsToAsk(1_000);
    if (paymentIds.length > 0) {
      const { payments } = await this.#client.outcomes(paymentIds);
      await this.#terminal.applyOutcomes(payments);
    }
    return (await this.#terminal.history({ limit: 100 })).flatMap((entry) =>
      entry.kind === "payment" ? [entry.state] : [],
    );
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}
