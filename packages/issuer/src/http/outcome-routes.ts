import { Readable } from "node:stream";
import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { OutcomesAnswer } from "../api/device-api.ts";
import type { Encoded } from "../api/wire.ts";
import { outcomeEvents, outcomeNews } from "../services/outcome-stream.ts";
import type { ServerContext } from "../services/server-context.ts";
import { askedOutcomes, tellOutcomes } from "../services/uploading.ts";
import { bodyOf } from "./raw-body.ts";
import { signedCall } from "./signed-call-schema.ts";
import type { TypeBoxProvider } from "./typebox.ts";

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

  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  app.post(
    "/v1/outcomes/stream",
    {
      schema: {
        ...signedCall(
          { summary: "What becomes of the caller's own payments, as server-sent events." },
          Type.Any({ description: "Events `outcome`, one for each change, and `end` with how many are still open." }),
        ),
        produces: ["text/event-stream"],
      },
    },
    async (request, reply) => {
      const asked = await askedOutcomes(bodyOf(request), context);
      reply.header("cache-control", "no-store").header("x-accel-buffering", "no").type("text/event-stream");
      const news = outcomeNews(asked, { store: context.store, signal: closing.signal });
      return reply.send(Readable.from(outcomeEvents(news)));
    },
  );
}
