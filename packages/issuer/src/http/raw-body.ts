import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { MAXIMUM_BODY_BYTES } from "@cairn/messages";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { EdgeError } from "./problems.ts";

export const SIGNED_CALL_TYPE = "application/cbor-seq";

/** Content codings (RFC 9110 section 8.4.1, RFC 7932, RFC 8878) by which a body may be compressed. */
const UNPACKERS = new Map(
  Object.entries({
    gzip: promisify(gunzip),
    deflate: promisify(inflate),
    br: promisify(brotliDecompress),
    zstd: promisify(zstdDecompress),
  }),
);

/** Signed calls come as raw bytes, compressed or not; unpacking stops at the largest body that a call may have. */
export function takeSignedCalls(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    SIGNED_CALL_TYPE,
    { parseAs: "buffer", bodyLimit: MAXIMUM_BODY_BYTES },
    (request: FastifyRequest, body: Buffer) => unpack(request, body),
  );
}

async function unpack(request: FastifyRequest, body: Buffer): Promise<Uint8Array> {
  const encoding = request.headers["content-encoding"]?.toLowerCase();
  if (encoding === undefined || encoding === "identity") return body;
  const unpacker = UNPACKERS.get(encoding);
  if (unpacker === undefined) throw new EdgeError("CONTENT_ENCODING_UNSUPPORTED");
  try {
    return await unpacker(body, { maxOutputLength: MAXIMUM_BODY_BYTES });
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
