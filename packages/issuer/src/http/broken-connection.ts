import { STATUS_CODES } from "node:http";
import { type EdgeCode, PROBLEM_TYPE, problemDocument } from "./problems.ts";

export type BareConnection = { readonly writable: boolean; end(text: string): void; destroy(): void };

/** Node's own codes for what is not just no HTTP. */
const CODES: ReadonlyMap<string | undefined, EdgeCode> = new Map([
  ["ERR_HTTP_REQUEST_TIMEOUT", "REQUEST_TIMEOUT"],
  ["HPE_HEADER_OVERFLOW", "HEADER_TOO_LARGE"],
]);

/** Bytes that are not HTTP, or that come too slowly, never reach a route: they are answered on the bare connection. */
export function answerBrokenConnection(error: NodeJS.ErrnoException, socket: BareConnection): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const document = problemDocument(CODES.get(error.code) ?? "HTTP_MALFORMED");
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
