import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { MAXIMUM_BODY_BYTES } from "@cairn/messages";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { EdgeError } from "./problems.ts";

const inflate = promisify(gunzip);
export const SIGNED_CALL_TYPE = "application/cbor-seq";

/** Signed calls come as raw bytes, gzip-compressed or not; inflating stops at the largest body that a call may have. */
export function takeSignedCalls(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    SIGNED_CALL_TYPE,
    { parseAs: "buffer", bodyLimit: MAXIMUM_BODY_BYTES },
    (request: FastifyRequest, body: Buffer) => unpack(request, body),
  );
}

async function unpack(request: FastifyRequest, body: Buffer): Promise<Uint8Array> {
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return body;
  if (encoding !== "gzip") throw new EdgeError("CONTENT_ENCODING_UNSUPPORTED");
  try {
    return await inflate(body, { maxOutputLength: MAXIMUM_BODY_BYTES });
  } catch (error) {
    const tooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw new EdgeError(tooLarge ? "BODY_TOO_LARGE" : "BODY_ENCODING_INVALID");
  }
}

/** The body of a signed call; without one there is no call. */
export function bodyOf(request: FastifyRequest): Uint8Array {
  if (request.body instanceof Uint8Array) return request.body;
  throw new EdgeError("CONTENT_TYPE_UNSUPPORTED");
}
