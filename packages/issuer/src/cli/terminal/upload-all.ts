import type { Terminal, Upload } from "@cairn/collect";
import type { IssuerId, Refusal } from "@cairn/messages";
import type { UploadAnswer } from "../../api/device-api.ts";
import { ClientError } from "../../client/client-error.ts";
import { IssuerClient, type IssuerClientOptions } from "../../client/issuer-client.ts";
import { fewerRecords, moreRecords } from "../../client/portion-size.ts";
import { streamUpload } from "../../client/stream-upload.ts";

/** Some 150 kB: what a cut connection may cost, until it was cut. */
const PORTION_RECORDS = 250;

/** What a lost connection looks like, and a server that is stopping or does not know streams. */
const STREAM_LOST: ReadonlySet<string> = new Set([
  "ISSUER_UNREACHABLE",
  "ISSUER_TIMEOUT",
  "SHUTTING_DOWN",
  "REQUEST_TIMEOUT",
  "ROUTE_UNKNOWN",
]);

/** What a portion that is too large for the line looks like: it breaks, or not all of it comes in time. */
const TOO_MUCH: ReadonlySet<string> = new Set(["ISSUER_UNREACHABLE", "REQUEST_TIMEOUT"]);

export type UploadAllInput = {
  readonly terminal: Terminal;
  readonly connection: IssuerClientOptions;
  readonly guestIssuerId: IssuerId | undefined;
  /** Told after each portion how many records the issuer has so far. */
  readonly onProgress: (received: number) => void;
};
/** Most records at once, as the line lets them through. */
type Portion = { limit: number };
export type UploadedAll = { received: number; refused: number; listRefusals: readonly Refusal[] };

/**
 * Until nothing is left that the server has not acknowledged: over one connection, and over the next one from where that
 * broke off, in smaller portions after each break. Where no stream gets through at all (something on the way holds it
 * back), call by call. Also an upload of nothing takes fresh lists home.
 * @throws ClientError when even a call of one record fails, or the issuer is not there at all; what was acknowledged
 * before is kept.
 */
export async function uploadAll(input: UploadAllInput): Promise<UploadedAll> {
  const sofar: UploadedAll = { received: 0, refused: 0, listRefusals: [] };
  const portion: Portion = { limit: PORTION_RECORDS };
  for (;;) {
    const before = sofar.received + sofar.refused;
    try {
      return await uploadStreamed(input, sofar, portion);
    } catch (error) {
      if (!isLost(error)) throw error;
      const isHeldBack = !TOO_MUCH.has(error.code) || portion.limit === 1;
      portion.limit = fewerRecords(portion.limit);
      if (sofar.received + sofar.refused > before) continue;
      if (isHeldBack) return uploadCallByCall(input, sofar, portion);
      await requireThere(input);
    }
  }
}

const isLost = (error: unknown): error is ClientError => error instanceof ClientError && STREAM_LOST.has(error.code);

/** Whether the smallest of calls gets through: else smaller portions are of no use. @throws ClientError */
async function requireThere({ connection }: UploadAllInput): Promise<void> {
  await new IssuerClient(connection).nonce();
}

async function uploadStreamed(
  { terminal, connection, guestIssuerId, onProgress }: UploadAllInput,
  sofar: UploadedAll,
  portion: Portion,
): Promise<UploadedAll> {
  let sent: Upload | undefined;
  let isStuck = false;
  async function* portions(): AsyncGenerator<readonly Uint8Array[]> {
    while (!isStuck) {
      const upload = await terminal.buildUpload({ limit: portion.limit, guestIssuerId });
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
    portion.limit = moreRecords(portion.limit, PORTION_RECORDS);
    // A server that answers for none of the records would keep us here for ever.
    isStuck = applied.unanswered === sent.items.length;
    if (sent.items.length > 0) onProgress(sofar.received);
  }
}

async function uploadCallByCall(input: UploadAllInput, sofar: UploadedAll, portion: Portion): Promise<UploadedAll> {
  const { terminal, connection, guestIssuerId, onProgress } = input;
  const client = new IssuerClient(connection);
  for (;;) {
    const upload = await terminal.buildUpload({ limit: portion.limit, guestIssuerId });
    const answer = await uploadOrShrink(() => client.upload(upload.records), input, {
      portion,
      sent: upload.items.length,
    });
    if (answer === undefined) continue;
    const applied = await terminal.applyUploadAnswer(upload, answer);
    sofar.received += applied.received;
    sofar.refused += applied.refused;
    sofar.listRefusals = applied.listRefusals;
    if (upload.items.length === 0 || applied.unanswered === upload.items.length) return sofar;
    portion.limit = moreRecords(portion.limit);
    onProgress(sofar.received);
  }
}

/** Undefined: it was lost, and a smaller one may get through. */
async function uploadOrShrink(
  send: () => Promise<UploadAnswer>,
  input: UploadAllInput,
  { portion, sent }: { readonly portion: Portion; readonly sent: number },
): Promise<UploadAnswer | undefined> {
  try {
    return await send();
  } catch (error) {
    if (!isLost(error) || sent <= 1) throw error;
    await requireThere(input);
    portion.limit = fewerRecords(sent);
    return undefined;
  }
}
