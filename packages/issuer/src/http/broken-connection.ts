import { PROBLEM_TYPE, problemDocument } from "./problems.ts";

export type BareConnection = { readonly writable: boolean; end(text: string): void; destroy(): void };

/** Bytes that are not HTTP, or that come too slowly, never reach a route: they are answered on the bare connection. */
export function answerBrokenConnection(error: NodeJS.ErrnoException, socket: BareConnection): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const document = problemDocument(error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? "REQUEST_TIMEOUT" : "HTTP_MALFORMED");
  const body = JSON.stringify(document);
  const reason = document.status === 408 ? "Request Timeout" : "Bad Request";
  const head = [
    `HTTP/1.1 ${document.status} ${reason}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
