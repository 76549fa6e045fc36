import { addAbortListener } from "node:events";
import { Readable } from "node:stream";
import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { OutcomesAnswer } from "../api/device-api.ts";
import type { Encoded } from "../api/wire.ts";
import type { Caller } from "../services/callers.ts";
import { ListeningSeats } from "../services/listening-seats.ts";
import { type OutcomeNews, outcomeNews } from "../services/outcome-stream.ts";
import type { ServerContext } from "../services/server-context.ts";
import { askedOutcomes, tellOutcomes } from "../services/uploading.ts";
import { bodyOf } from "./raw-body.ts";
import { EVENT_STREAM_HEADERS, EVENT_STREAM_TYPE, eventText } from "./server-sent-events.ts";
import { CALL_PROBLEMS, signedCall } from "./signed-call-schema.ts";
import type { TypeBoxProvider } from "./typebox.ts";

/** A till and what stands beside it; and about what one process can look up four times a second. */
const SEATS = { perCaller: 4, overall: 1_000 };

/** What became of the caller's own payments: to ask for now and then, or to be told as it happens. */
export function outcomeRoutes(plain: FastifyInstance, context: ServerContext): void {
  const app = plain.withTypeProvider<TypeBoxProvider>();
  app.post(
    "/v1/outcomes",
    { schema: signedCall({ summary: "What became of the caller's own payments." }, OutcomesAnswer) },
    async (request): Promise<Encoded<typeof OutcomesAnswer>> => ({
      payments: [...(await tellOutcomes(bodyOf(request), context))],
    }),
  );

  const seats = new ListeningSeats(SEATS);
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  app.post(
    "/v1/outcomes/stream",
    {
      schema: {
        ...signedCall(
          {
            summary: "What becomes of the caller's own payments, as server-sent events.",
            problems: [...CALL_PROBLEMS, "PUSH_FULL"],
          },
          Type.Any({ description: "Events `outcome`, one for each change, and `end` with how many are still open." }),
        ),
        produces: [EVENT_STREAM_TYPE],
      },
    },
    async (request, reply) => {
      // From the beginning: a caller may hang up while it is still being looked up.
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      const asked = await askedOutcomes(bodyOf(request), context);
      addAbortListener(gone.signal, seats.take(idOf(asked.caller)));
      reply.headers(EVENT_STREAM_HEADERS).type(EVENT_STREAM_TYPE);
      const signal = AbortSignal.any([closing.signal, gone.signal]);
      return reply.send(Readable.from(outcomeEvents(outcomeNews(asked, { store: context.store, signal }))));
    },
  );
}

const idOf = (caller: Caller): string =>
  caller.kind === "device" ? caller.device.deviceId : caller.terminal.terminalId;

/** `outcome` for each change, `end` when the call is over. */
async function* outcomeEvents(news: AsyncIterable<OutcomeNews>): AsyncGenerator<string> {
  let open = 0;
  for await (const { changed, open: stillOpen } of news) {
    open = stillOpen;
    yield changed.length === 0 ? ": waiting\n\n" : changed.map((outcome) => eventText("outcome", outcome)).join("");
  }
  yield eventText("end", { open });
}
