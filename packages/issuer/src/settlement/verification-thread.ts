import { parentPort, workerData } from "node:worker_threads";
import { nodeCrypto, openSignatureBatches } from "@cairn/cose/node";
import type { TrustAnchors } from "@cairn/messages";
import { certificateIdCipher } from "../keys/certificate-id-cipher.ts";
import { forgetCertificates, verificationCaches } from "./context.ts";
import { PaymentProver } from "./payment-prover.ts";
import { packAnswer, unpackJob, type VerificationJob } from "./verification-transfer.ts";
import { verifyUploadRecords } from "./verify-records.ts";

/** One thread of the verification pool: it decodes, verifies and applies the rules, and keeps nothing but its caches. */
const crypto = nodeCrypto({ keyCacheSize: 20_000 });
const caches = verificationCaches();
const cipher = certificateIdCipher(workerData.certificateIdKey);
const batches = openSignatureBatches();
const prover = batches === undefined ? undefined : new PaymentProver(batches);
let anchors: TrustAnchors | undefined;

/** Jobs are done in the order in which they come. */
let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (job: VerificationJob) => {
  last = last.then(() => work(job));
});

async function work(job: VerificationJob): Promise<void> {
  if (job.anchors !== undefined) {
    forgetCertificates(caches);
    anchors = job.anchors;
  }
  if (anchors === undefined) throw new Error("The first job brings the trusted keys.");
  const records = unpackJob(job);
  const senders = new Map(job.senderIds.map((senderId, index) => [senderId, job.sendersKnown[index]]));
  const verified = await verifyUploadRecords(records, {
    anchors,
    crypto,
    certificateIdCipher: cipher,
    caches,
    prover,
    senderOf: ({ senderId }) => senders.get(senderId),
  });
  const answer = packAnswer(job.jobId, records, verified);
  parentPort?.postMessage(answer, [answer.bytes.buffer]);
}
