import { createInterface } from "node:readline";
import { signerFromPkcs8 } from "@cairn/cose/node";
import { amount } from "@cairn/messages";
import { SqliteWalletStore } from "@cairn/stores";
import { consentTo, pay, payOpen, reviewRequest } from "../src/index.ts";
import { EUR, portsOn } from "./world.ts";

/**
 * A wallet as a process of its own: `node payer.child.ts FILE KEY`. Pays each request code that comes as a line,
 * or openly for "open MINOR", and says what it showed: one line for each.
 */
const [file = "", key = ""] = process.argv.slice(2);
const { ports } = portsOn(new SqliteWalletStore(file), signerFromPkcs8(new Uint8Array(Buffer.from(key, "base64"))));

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const result = line.startsWith("open ")
    ? await payOpen(ports, { maximum: amount(BigInt(line.slice(5)), EUR) })
    : await payRequest(line);
  process.stdout.write(`${result.kind === "refused" ? result.refusal.code : result.codeText}\n`);
}

async function payRequest(code: string) {
  const review = await reviewRequest(ports, code);
  return review.kind === "refused" ? review : pay(ports, { review, consent: consentTo(review) });
}
