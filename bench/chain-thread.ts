import { parentPort, workerData } from "node:worker_threads";
import { nodeCrypto, openSignatureBatches, signerFromPkcs8 } from "@cairn/cose/node";
import {
  type ChainHash,
  chainHashOf,
  currency,
  decodeMessage,
  encodeUploadRecord,
  fromHex,
  identifier,
  joinRecords,
  payeeCertificate,
  payment,
  paymentRequest,
  type RequestNonce,
  requestHashOf,
  restoreVerified,
  signMessage,
  userCertificate,
} from "@cairn/messages";
import { systemClock, systemRandom } from "../packages/issuer/src/ports.ts";
import type { ChainsOrder, SignedChain } from "./chains.ts";

/** Signs the chains of some payers, and the till's request for each payment: upload records with their hints. */
const order = workerData as ChainsOrder;
const crypto = nodeCrypto();
const signatures = openSignatureBatches();
const till = signerFromPkcs8(order.till);
const payee = restoreVerified(payeeCertificate, order.payeeCertificate, crypto);
const inCurrency = currency("EUR");

for (const { index, privateKey, certificate } of order.payers) {
  const records = await signChain(signerFromPkcs8(privateKey), certificate);
  const joined = Uint8Array.from(joinRecords(records));
  parentPort?.postMessage({ index, records: joined } satisfies SignedChain, [joined.buffer]);
}

async function signChain(signer: ReturnType<typeof signerFromPkcs8>, bytes: Uint8Array): Promise<Uint8Array[]> {
  const certificate = restoreVerified(userCertificate, bytes, crypto);
  const now = systemClock.nowSeconds();
  const amountMinor = order.priceMinor;
  const records: Uint8Array[] = [];
  let previous: ChainHash = chainHashOf(certificate.messageId);
  for (let sequence = 1; sequence <= order.payments; sequence++) {
    const request = await signMessage(
      paymentRequest,
      {
        payeeCertificateId: payee.content.payeeCertificateId,
        amountMinor,
        currency: inCurrency,
        nonce: identifier<RequestNonce>(systemRandom.bytes(8), 8),
        issuedAt: now,
        expiresAt: now + 300,
      },
      { signer: till, crypto },
    );
    const paid = await signMessage(
      payment,
      {
        certificateId: certificate.content.certificateId,
        sequence,
        previous,
        amountMinor,
        spentMinor: amountMinor * BigInt(sequence),
        issuedAt: now,
        requestHash: requestHashOf(request.messageId),
      },
      { signer, crypto },
    );
    previous = chainHashOf(paid.messageId);
    records.push(
      encodeUploadRecord({
        kind: "payment",
        payeeCertificate: payee.bytes,
        request: request.bytes,
        certificate: certificate.bytes,
        payment: paid.bytes,
        hint: hintOf(paid.bytes, signer),
      }),
    );
  }
  return records;
}

/** As a terminal on Node gives it with its uploads. */
function hintOf(bytes: Uint8Array, { publicKey }: ReturnType<typeof signerFromPkcs8>): Uint8Array | undefined {
  const { messageId, signature } = decodeMessage(payment, bytes, crypto);
  return signatures?.hintFor({ publicKey, digest: fromHex(messageId), signature });
}
