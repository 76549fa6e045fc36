import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { keyIdOf } from "@cairn/messages";
import * as api from "../../api/operator-api.ts";
import { base64url, type Encoded } from "../../api/wire.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** A week: as long as a payee's lists may be old by default, so that no terminal meets a key that it does not know. */
const DEFAULT_OVERLAP_SECONDS = 7 * 86_400;

/** The issuer's signing keys. Private parts never leave the server. */
export function keyRoutes(app: OperatorApp, context: ServerContext): void {
  const { keys, clock, trustLists, statusLists, crypto, log } = context;

  function view(): Encoded<typeof api.Keys> {
    const active = keys.active(clock.nowSeconds()).keyId;
    return {
      rootKeyId: keyIdOf(keys.root.publicKey, crypto),
      rootKey: base64url(encodeCbor(publicKeyToCbor(keys.root.publicKey))),
      trustListVersion: trustLists.current().list.content.version,
      keys: keys.all().map(({ keyId, validFrom, validUntil, signsFrom }) => ({
        keyId,
        validFrom,
        validUntil,
        signsFrom,
        active: keyId === active,
      })),
    };
  }

  app.get(
    "/keys",
    { schema: operatorAnswer({ summary: "The issuer's keys and which one signs." }, api.Keys) },
    async (): Promise<Encoded<typeof api.Keys>> => view(),
  );

  app.post(
    "/keys/rotation",
    {
      schema: {
        body: api.Rotation,
        ...operatorAnswer({ summary: "Adds a key, publishes it, and lets it sign after an overlap." }, api.Keys),
      },
    },
    async ({ body }): Promise<Encoded<typeof api.Keys>> => {
      const now = clock.nowSeconds();
      await keys.rotate({ now, overlapSeconds: body.overlapSeconds ?? DEFAULT_OVERLAP_SECONDS });
      await trustLists.refresh(now);
      statusLists.markChanged();
      log.info({ keys: keys.all().map(({ keyId }) => keyId) }, "signing keys rotated");
      return view();
    },
  );
}
