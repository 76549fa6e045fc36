import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { keyIdOf } from "@cairn/messages";
import { Type } from "@sinclair/typebox";
import * as api from "../../api/operator-api.ts";
import { base64url, type Encoded, KeyIdText } from "../../api/wire.ts";
import { KeyFileError } from "../../keys/key-file-error.ts";
import { withdrawKey } from "../../services/key-withdrawal.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** A week: as long as a payee's lists may be old by default, so that no terminal meets a key that it does not know. */
const DEFAULT_OVERLAP_SECONDS = 7 * 86_400;

/** The issuer's signing keys. Private parts never leave the server. */
export function keyRoutes(app: OperatorApp, context: ServerContext): void {
  const { keys, sealing, clock, trustLists, statusLists, crypto, log } = context;

  function view(): Encoded<typeof api.Keys> {
    const now = clock.nowSeconds();
    const list = trustLists.published()?.list.content;
    const active = activeKeyId(now);
    return {
      rootKeyId: keyIdOf(keys.rootKey, crypto),
      rootKey: base64url(encodeCbor(publicKeyToCbor(keys.rootKey))),
      offlineRoot: keys.rootSigner === undefined,
      trustListVersion: list?.version ?? null,
      trustListExpiresAt: list?.expiresAt ?? null,
      keys: keys.all().map(({ keyId, validFrom, validUntil, signsFrom, withdrawnAt }) => ({
        keyId,
        validFrom,
        validUntil,
        signsFrom,
        withdrawnAt: withdrawnAt ?? null,
        active: keyId === active,
      })),
    };
  }

  /** Undefined while none may sign, as before the first list of an offline root. */
  function activeKeyId(now: number): string | undefined {
    try {
      return keys.active(now).keyId;
    } catch (error) {
      if (error instanceof KeyFileError) return undefined;
      throw error;
    }
  }

  app.get(
    "/keys",
    { schema: operatorAnswer({ summary: "The issuer's keys and which one signs." }, api.Keys) },
    async (): Promise<Encoded<typeof api.Keys>> => view(),
  );

  if (sealing !== undefined)
    app.post(
      "/keys/sealing",
      {
        schema: {
          body: Type.Object({}),
          ...operatorAnswer(
            { summary: "From now on an audit wants the issuer's seal on every entry that settles no payment." },
            api.SealingAnswer,
          ),
        },
      },
      async (): Promise<Encoded<typeof api.SealingAnswer>> => {
        const heads = await context.store.ledgerHeads();
        await sealing.sealFrom(heads);
        log.warn({ partitions: heads.length }, "sealing of entries begins");
        return { partitions: heads.length };
      },
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

  app.get(
    "/keys/statement",
    {
      schema: operatorAnswer(
        { summary: "The issuer's public keys as they are to stand in a trust list." },
        api.KeyStatement,
      ),
    },
    async (): Promise<Encoded<typeof api.KeyStatement>> => {
      const entries = trustLists.ownEntries();
      return {
        format: "cairn-issuer-keys-1",
        ...trustLists.identity(),
        keys: entries.map(({ key, validFrom, validUntil, uses }) => ({
          key: base64url(encodeCbor(publicKeyToCbor(key))),
          validFrom,
          validUntil,
          uses,
        })),
      };
    },
  );

  app.put(
    "/trust-list",
    {
      schema: {
        body: api.BroughtTrustList,
        ...operatorAnswer(
          { summary: "Publishes a trust list that the offline root signed.", problems: ["TRUST_LIST_REFUSED"] },
          api.Keys,
        ),
      },
    },
    async ({ body }): Promise<Encoded<typeof api.Keys>> => {
      await trustLists.bring(body.trustList, clock.nowSeconds());
      statusLists.markChanged();
      log.info({ version: trustLists.current().list.content.version }, "trust list brought");
      return view();
    },
  );

  app.post(
    "/keys/:keyId/withdrawal",
    {
      schema: {
        params: Type.Object({ keyId: KeyIdText }),
        body: Type.Object({}, { additionalProperties: false }),
        ...operatorAnswer(
          {
            summary: "Withdraws a compromised key: it never signs again and leaves the list.",
            problems: ["KEY_UNKNOWN"],
          },
          api.Keys,
        ),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.Keys>> => {
      await withdrawKey(params.keyId, context);
      return view();
    },
  );
}
