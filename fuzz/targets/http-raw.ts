import { connect } from "node:net";
import { bytesOf, mustHold, type Target, textOf } from "../target.ts";
import { checkProblem } from "./answer.ts";
import { IssuerWorld } from "./issuer-world.ts";

/** Bytes that may be no HTTP at all: an answer comes or the connection ends, and the server goes on. */
const ENOUGH_MS = 250;

const REQUESTS = [
  "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  "POST /v1/sync HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor-seq\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
  "POST /v1/uploads HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor-seq\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "POST /v1/uploads HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor-seq\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
  "PUT /v1/operator/accounts/1/credit HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
  "GET /v1/operator/entries?account=1&limit=2 HTTP/1.0\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
];

export async function openHttpRaw(): Promise<Target> {
  const world = await IssuerWorld.open();
  const port = Number(new URL(world.issuer.url).port);
  return {
    name: "http-raw",
    shape: "text",
    seeds: REQUESTS.map(bytesOf),
    run: async (input) => {
      const answer = textOf(await exchange(port, input));
      world.checkLog();
      const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? [];
      if (status === undefined) return;
      mustHold(Number(status) < 500, `The server answers ${answer}`);
      const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
      if (Number(status) >= 400 && /content-type: application\/problem\+json/i.test(head) && body.endsWith("}"))
        checkProblem(Number(status), body);
    },
    close: () => world.close(),
  };
}

/** Sends the bytes and waits for what comes back; an input that keeps the server waiting is left alone. */
function exchange(port: number, input: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.end(input));
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks));
    };
    socket.setTimeout(ENOUGH_MS, done);
    socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on("error", done);
    socket.on("close", done);
  });
}
