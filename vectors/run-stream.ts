import { decodeCbor, publicKeyFromCbor } from "@cairn/cose";
import { isRefusal, readSignedCall, verifyUnder } from "@cairn/messages";
import { readPortions } from "../packages/issuer/src/http/portions.ts";
import { EdgeError } from "../packages/issuer/src/http/problems.ts";
import { ServiceError } from "../packages/issuer/src/services/service-error.ts";
import { asMalformed, type OpenedCall, openFollowing } from "../packages/issuer/src/services/signed-calls.ts";
import { type Case, fromHexText, hex, type JsonObject } from "./case.ts";
import { crypto } from "./world.ts";

/** So small that every head and every portion comes in pieces. */
const PIECE_BYTES = 7;

/** Reads a stream as the server does, against the nonce that it gave and the key that it knows. */
export async function runStream(input: JsonObject): Promise<Case["expect"]> {
  const key = publicKeyFromCbor(decodeCbor(fromHexText(String(input.key))));
  const taken: string[] = [];
  let previous: OpenedCall | undefined;
  try {
    for await (const body of readPortions(pieces(fromHexText(String(input.body))))) {
      const call: OpenedCall =
        previous === undefined ? openFirst(body, String(input.nonce)) : openFollowing(previous, body, { crypto });
      if (isRefusal(await verifyUnder(call.envelope, key, crypto))) return { code: "SIGNATURE_INVALID", taken };
      taken.push(hex(call.content));
      previous = call;
    }
    // As the route answers a stream without portions.
    return previous === undefined ? { code: "BUNDLE_MALFORMED", taken } : { fields: { portions: taken } };
  } catch (error) {
    if (error instanceof EdgeError) return { code: error.problemCode, taken };
    if (error instanceof ServiceError)
      return { code: error.code === "CALL_MALFORMED" ? (error.detail ?? error.code) : error.code, taken };
    throw error;
  }
}

function openFirst(body: Uint8Array, nonce: string): OpenedCall {
  const { envelope, content } = asMalformed(() => readSignedCall("upload", body, crypto));
  if (envelope.unverified.nonce !== nonce) throw new ServiceError("NONCE_INVALID");
  return { callerId: envelope.unverified.callerId, envelope, nonceExpiresAt: undefined, content };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let begin = 0; begin < bytes.length; begin += PIECE_BYTES) yield bytes.subarray(begin, begin + PIECE_BYTES);
}
