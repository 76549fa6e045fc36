import assert from "node:assert/strict";
import { DEFAULT_COLLECT_POLICY, openTerminal, type Terminal } from "@cairn/collect";
import { generateNodeSigner } from "@cairn/cose/node";
import { expectCode, paymentRequest, readCode, restoreVerified, writeCode } from "@cairn/messages";
import { MemoryTerminalJournal } from "@cairn/stores";
import { IssuerClient } from "../../src/client/issuer-client.ts";
import { systemRandom } from "../../src/ports.ts";
import type { TestIssuer } from "./issuer.ts";
import { crypto, EUR } from "./values.ts";
import type { TestWallet } from "./wallet.ts";
import { KIOSK } from "./world.ts";

/** A real terminal that goes online only when it is told to. */
export async function openTill(at: TestIssuer) {
  const signer = generateNodeSigner();
  const { clock } = at;
  const client = new IssuerClient({ url: at.issuer.url, signer, crypto, clock });
  const journal = new MemoryTerminalJournal();
  const ports = { journal, signer, crypto, clock, random: systemRandom, policy: DEFAULT_COLLECT_POLICY };
  const terminal: Terminal = openTerminal(ports);
  const { code } = await at.operator.createTerminalCode(KIOSK);
  const enrolled = await terminal.enrol(await client.enrolTerminal({ code, protection: 0, label: "till" }));
  assert.equal(enrolled.kind, "enrolled");

  /** The code of what a payer gets to see here. */
  async function take(wallet: TestWallet, minor: bigint): Promise<string> {
    const asked = await terminal.charge({ amount: { currency: EUR, minor } });
    if (asked.kind === "refused") return asked.refusal.code;
    const { certificate, message } = expectCode(readCode(asked.codeText), "request");
    const request = restoreVerified(paymentRequest, message, crypto);
    const paid = await wallet.pay({ payeeCertificate: certificate, request });
    const codeText = writeCode({ type: "payment", certificate: wallet.held().bytes, message: paid.bytes });
    const outcome = await terminal.accept(codeText);
    return outcome.kind === "refused" ? outcome.refusal.code : outcome.kind;
  }

  async function sync(): Promise<readonly string[]> {
    const upload = await terminal.buildUpload({ limit: 1_000 });
    const { listRefusals } = await terminal.applyUploadAnswer(upload, await client.upload(upload.records));
    return listRefusals.map(({ code }) => code);
  }
  return { terminal, client, signer, take, sync };
}
