import {
  encodeUploadRecord,
  type IssuerId,
  MAXIMUM_BODY_BYTES,
  MAXIMUM_RECORDS,
  type MessageId,
} from "@cairn/messages";
import { CollectError } from "./collect-error.ts";
import { hintFor } from "./hints.ts";
import type { UploadEntries } from "./journal.ts";
import type { TerminalContext } from "./setup.ts";
import { captureFor, voidFor } from "./statements.ts";

/** Room for the signed envelope of the call, some 160 bytes. */
const ENVELOPE_BYTES = 1_024;

export type UploadItem =
  | { readonly kind: "payment"; readonly paymentId: MessageId }
  | { readonly kind: "void"; readonly requestId: MessageId };

/** Encoded upload records and, at the same index, what each is about: keep it until the answer is applied. */
export type Upload = {
  readonly records: readonly Uint8Array[];
  readonly items: readonly UploadItem[];
  /** For whom it is; undefined: the terminal's own issuer. */
  readonly guestIssuerId: IssuerId | undefined;
};

export type UploadOptions = {
  /** Most records, 1 to MAXIMUM_RECORDS. Fewer come when the call would be too long. */
  readonly limit: number;
  /**
   * `unanswered` (the default): what the server never acknowledged, so that uploading until nothing is left ends.
   * `unsettled`: once more all that is not settled, for a server that lost its memory.
   */
  readonly which?: "unanswered" | "unsettled";
  /** For which guest issuer; undefined: for the terminal's own. Each gets its own payers' payments, and every void. */
  readonly guestIssuerId?: IssuerId | undefined;
};

/**
 * The next records to upload, oldest first. Spec: messages.md "Upload records". Nothing changes in the journal, and
 * the same records come again until their answer is applied; uploading them twice is harmless.
 * @throws CollectError UPLOAD_LIMIT_RANGE, NOT_ENROLLED.
 */
export async function buildUpload(context: TerminalContext, options: UploadOptions): Promise<Upload> {
  const { limit, which = "unanswered", guestIssuerId } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAXIMUM_RECORDS) {
    throw new CollectError("UPLOAD_LIMIT_RANGE", `An upload takes 1 to ${MAXIMUM_RECORDS} records, not ${limit}.`);
  }
  await context.hold();
  const entries = await context.journal.toUpload({ limit, which, guestIssuerId });
  const records: Uint8Array[] = [];
  const items: UploadItem[] = [];
  let length = ENVELOPE_BYTES;
  for await (const { record, item } of encodedEntries(context, entries)) {
    length += record.length;
    if (length > MAXIMUM_BODY_BYTES) break;
    records.push(record);
    items.push(item);
  }
  return { records, items, guestIssuerId };
}

/** The upload records of what the journal gave, in its order. Signs captures and voids that were never signed. */
export async function* encodedEntries(
  context: TerminalContext,
  entries: UploadEntries,
): AsyncIterable<{ readonly record: Uint8Array; readonly item: UploadItem }> {
  for (const { acceptance, payeeCertificate, request } of entries.payments) {
    const { paymentId, certificate, payment } = acceptance;
    const hint = hintFor(acceptance, context);
    const record =
      request === undefined
        ? encodeUploadRecord({
            kind: "open-payment",
            payeeCertificate,
            capture: await captureFor(context, acceptance),
            certificate,
            payment,
            hint,
          })
        : encodeUploadRecord({ kind: "payment", payeeCertificate, request, certificate, payment, hint });
    yield { record, item: { kind: "payment", paymentId } };
  }
  for (const voided of entries.voids) {
    if (voided.voidedAt === undefined) continue;
    const { payeeCertificate, request, requestId } = voided;
    const requestVoid = await voidFor(context, voided, voided.voidedAt);
    yield {
      record: encodeUploadRecord({ kind: "void", payeeCertificate, request, requestVoid }),
      item: { kind: "void", requestId },
    };
  }
}
