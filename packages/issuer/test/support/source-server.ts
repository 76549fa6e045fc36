import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export type SourceMode =
  | "well"
  | "slow"
  | "erroring"
  | "malformed"
  | "endless"
  | "hanging"
  | "refusing"
  | "redirecting";

/** An operator's core banking and bureau in one, as the contract of docs/guides/core-banking.md wants them, or ill in one way or another. */
export async function startSourceServer(t: TestContext) {
  const state = {
    mode: "well" as SourceMode,
    /** Answer ill so often, then well. */
    illFor: Number.POSITIVE_INFINITY,
    asked: 0,
    seen: [] as string[],
    credit: { lineMinor: "5000", overdueMinor: "0", scoreBand: "A", informedAt: 0 } as Record<string, unknown>,
    account: { status: "active", deposits: [] as { depositId: string; amountMinor: string }[] },
  };
  const server = createServer((request, response) => {
    state.asked++;
    state.seen.push(`${request.url} ${request.headers.authorization ?? ""}`);
    const isIll = state.mode !== "well" && state.illFor-- > 0;
    const body = JSON.stringify(request.url?.includes("/credit") === true ? state.credit : state.account);
    const answer = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(text);
    };
    if (!isIll) return answer(200, body);
    switch (state.mode) {
      case "slow":
        return void setTimeout(() => answer(200, body), 2_000);
      case "erroring":
        return answer(503, "{}");
      case "refusing":
        return answer(404, "{}");
      case "redirecting":
        return void response.writeHead(302, { location: "/elsewhere" }).end();
      case "malformed":
        return answer(200, '{"lineMinor": 5000, "status": "splendid"}');
      case "endless":
        return answer(200, " ".repeat(300_000));
      default:
        return undefined;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { state, url: `http://127.0.0.1:${port}/cairn/` };
}
