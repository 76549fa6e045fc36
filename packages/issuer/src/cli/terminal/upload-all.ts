import type { Terminal, Upload } from "@cairn/collect";
import { type IssuerId, MAXIMUM_RECORDS, type Refusal } from "@cairn/messages";
import { ClientError } from "../../client/client-error.ts";
import { IssuerClient, type IssuerClientOptions } from "../../client/issuer-client.ts";
import { streamUpload } from "../../client/stream-upload.ts";

/** Some 100 kB: what a cut connection may cost on a slow line. */
const PORTION_RECORDS = 250;

/** What a lost connection looks like, and a server that is stopping or does not know streams. */
const STREAM_LOST: ReadonlySet<string> = new Set([
  "ISSUER_UNREACHABLE",
  "ISSUER_TIMEOUT",
  "SHUTTING_DOWN",
  "REQUEST_TIMEOUT",
  "ROUTE_UNKNOWN",
]);

export type UploadAllInput = {
  readonly terminal: Terminal;
  readonly connection: IssuerClientOptions;
  readonly guestIssuerId: IssuerId | undefined;
  /** Told after each portion how many records the issuer has so far. */
  readonly onProgress: (received: number) => void;
};
export type UploadedAll = { received: number; refused: number; listRefusals: readonly Refusal[] };

/**
 * Until nothing is left that the server has not acknowledged: over one connection, and over the next one from where that
 * broke off. Where no stream gets through at all (something on the way holds it back), call by call. Also an upload of
 * nothing takes fresh lists home.
 * @throws ClientError when even a single call fails; what was acknowledged before is kept.
 */
export async function uploadAll(input: UploadAllInput): Promise<UploadedAll> {
  const sofar: UploadedAll = { received: 0, refused: 0, listRefusals: [] };
  for (;;) {
    const before = sofar.received + sofar.refused;
    try {
      return await uploadStreamed(input, sofar);
    } catch (error) {
      if (!(error instanceof ClientError) || !STREAM_LOST.has(error.code)) throw error;
      if (sofar.received + sofar.refused === before) return uploadCallByCall(input, sofar);
    }
  }
}

async function uploadStreamed(
  { terminal, connection, guestIssuerId, onProgress }: UploadAllInput,
  sofar: UploadedAll,
): Promise<UploadedAll> {
  let sent: Upload | undefined;
  let isStuck = false;
  async function* portions(): AsyncGenerator<readonly Uint8Array[]> {
    while (!isStuck) {
      const upload = await terminal.buildUpload({ limit: PORTION_RECORDS, guestIssuerId });
      if (upload.items.length === 0 && sent !== undefined) return;
      sent = upload;
      yield upload.records;
    }
  }
  const answers = streamUpload(connection, portions());
  for (;;) {
    const answer = await answers.next();
    if (answer.done === true) {
      const nothing = { records: [], items: [], guestIssuerId };
      const { listRefusals } = await terminal.applyUploadAnswer(nothing, { records: [], ...answer.value });
      return Object.assign(sofar, { listRefusals });
    }
    if (sent === undefined) continue;
    const applied = await terminal.applyReceipts(sent, answer.value.records);
    sofar.received += applied.received;
    sofar.refused += applied.refused;
    // A server that answers for none of the records would keep us here for ever.
    isStuck = applied.unanswered === sent.items.length;
    if (sent.items.length > 0) onProgress(sofar.received);
  }
}

async function uploadCallByCall(
  { terminal, connection, guestIssuerId, onProgress }: UploadAllInput,
  sofar: UploadedAll,
): Promise<UploadedAll> {
  const client = new IssuerClient(connection);
  for (;;) {
    const upload = await terminal.buildUpload({ limit: MAXIMUM_RECORDS, guestIssuerId });
    const applied = await terminal.applyUploadAnswer(upload, await client.upload(upload.records));
    sofar.received += applied.received;
    sofar.refused += applied.refused;
    sofar.listRefusals = applied.listRefusals;
    if (upload.items.length === 0 || applied.unanswered === upload.items.length) return sofar;
    onProgress(sofar.received);
  }
}
