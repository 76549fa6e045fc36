import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { eventually, startTestIssuer } from "./support/issuer.ts";

/** pino's level of errors. */
const ERROR_LEVEL = 50;

for (const framing of ["transfer-encoding: chunked\r\n\r\n%\r\nabc", "content-length: 100\r\n\r\nabc"]) {
  test(`a caller who hangs up in the middle of a body is no fault of the server: ${framing.split(":")[0]}`, async (t) => {
    const { issuer, logged } = await startTestIssuer(t);
    const head = "POST /v1/uploads HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor-seq\r\n";
    const socket = connect(Number(new URL(issuer.url).port), "127.0.0.1");
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    socket.write(head + framing, () => socket.resetAndDestroy());
    const lines = await eventually(async () => {
      const turnedAway = logged.filter((line) => line.includes("call turned away") || line.includes("call failed"));
      return turnedAway.length > 0 && turnedAway;
    });
    for (const line of lines) {
      const { level, code }: { level: number; code: string } = JSON.parse(line);
      assert.deepEqual({ isError: level >= ERROR_LEVEL, code }, { isError: false, code: "HTTP_MALFORMED" });
    }
    assert.equal((await fetch(`${issuer.url}/ready`)).status, 200);
  });
}
