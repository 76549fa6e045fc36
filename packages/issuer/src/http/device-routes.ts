import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { payeeCertificate, restoreVerified } from "@cairn/messages";
import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import {
  DeviceEnrolment,
  NonceAnswer,
  SyncAnswer,
  SyncQuery,
  TerminalEnrolment,
  UploadAnswer,
} from "../api/device-api.ts";
import { base64url, type Encoded } from "../api/wire.ts";
import { enrolDevice, enrolTerminal } from "../services/enrolment.ts";
import { currentPayeeCertificate } from "../services/payee-certificates.ts";
import type { ServerContext } from "../services/server-context.ts";
import { makeNonce } from "../services/server-nonce.ts";
import { syncDevice } from "../services/syncing.ts";
import { receiveUpload } from "../services/uploading.ts";
import { deviceCareRoutes } from "./device-care-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { outcomeRoutes } from "./outcome-routes.ts";
import type { ProblemCode } from "./problems.ts";
import { bodyOf, takeSignedCalls } from "./raw-body.ts";
import { reverseMoneyRoutes } from "./reverse-money-routes.ts";
import { CALL_PROBLEMS, NONCE_HEADER, signedCall } from "./signed-call-schema.ts";
import { holdsOf, recordText, syncAnswerText } from "./sync-answer.ts";
import type { TypeBoxProvider } from "./typebox.ts";
import { uploadStreamRoute } from "./upload-stream-route.ts";

export type DeviceRoutesContext = ServerContext & {
  readonly issuerId: string;
  readonly issuerName: string;
};

const RECORDS_PROBLEMS = [...CALL_PROBLEMS, "INBOX_FULL"] as const satisfies readonly ProblemCode[];
export const ENROLMENT_PROBLEMS = [
  ...CALL_PROBLEMS,
  "ENROLMENT_CODE_INVALID",
  "ENROLMENT_CODE_USED",
  "ENROLMENT_CODE_EXPIRED",
  "KEY_ALREADY_ENROLLED",
  "TOO_MANY_ATTEMPTS",
] as const satisfies readonly ProblemCode[];

/** The routes of wallets and terminals. */
export async function deviceRoutes(plain: FastifyInstance, context: DeviceRoutesContext): Promise<void> {
  takeSignedCalls(plain);
  const app = plain.withTypeProvider<TypeBoxProvider>();
  const { clock, trustLists, statusLists } = context;

  // Before the first list of an offline root nothing that a device gets would mean anything to it.
  plain.addHook("onRequest", async () => void trustLists.current());
  const { nonceSecret: secret, random, crypto } = context;
  const newNonce = () => makeNonce({ now: clock.nowSeconds(), secret, random, crypto });
  // Every call of these routes that has a body is a signed one.
  plain.addHook("onSend", async (request, reply) => {
    if (request.method === "POST") reply.header(NONCE_HEADER, newNonce().nonce);
  });
  const lists = async () => ({
    trustList: base64url(trustLists.current().list.bytes),
    statusList: base64url((await statusLists.current(clock.nowSeconds())).bytes),
  });
  const rootKey = base64url(encodeCbor(publicKeyToCbor(context.keys.rootKey)));
  const issuer = { issuerId: context.issuerId, issuerName: context.issuerName, rootKey };

  app.get(
    "/v1/nonce",
    {
      schema: { summary: "A nonce for one signed call.", tags: ["devices"], response: { 200: NonceAnswer } },
    },
    async (_request, reply): Promise<Encoded<typeof NonceAnswer>> => {
      reply.header("cache-control", "no-store");
      return newNonce();
    },
  );

  const bytesAnswer = (summary: string, type: string) => ({
    summary,
    tags: ["devices"],
    produces: [type],
    response: { 200: Type.Any({ description: "The signed bytes." }) },
  });
  const statusListType = "application/statuslist+cwt";
  app.get(
    "/v1/trust-list",
    { schema: bytesAnswer("The issuer's trust list.", "application/cwt") },
    async (_request, reply) => reply.type("application/cwt").send(Buffer.from(trustLists.current().list.bytes)),
  );
  app.get(
    "/v1/status-list",
    { schema: bytesAnswer("Which certificates are withdrawn.", statusListType) },
    async (_request, reply) => {
      const { bytes } = await statusLists.current(clock.nowSeconds());
      return reply.type(statusListType).send(Buffer.from(bytes));
    },
  );

  app.post(
    "/v1/enrolments/device",
    {
      schema: signedCall(
        { summary: "Enrols a wallet device by a one-time code.", problems: ENROLMENT_PROBLEMS },
        DeviceEnrolment,
      ),
    },
    async (request): Promise<Encoded<typeof DeviceEnrolment>> => {
      const device = await enrolDevice({ body: bodyOf(request), address: request.ip }, context);
      const account = await context.store.account(device.account);
      if (account === undefined) throw new Error("A device of no account.");
      return { deviceId: device.deviceId, ...issuer, ...(await lists()), currency: account.currency };
    },
  );

  app.post(
    "/v1/enrolments/terminal",
    {
      schema: signedCall(
        { summary: "Enrols a terminal by a one-time code.", problems: ENROLMENT_PROBLEMS },
        TerminalEnrolment,
      ),
    },
    async (request): Promise<Encoded<typeof TerminalEnrolment>> => {
      const terminal = await enrolTerminal({ body: bodyOf(request), address: request.ip }, context);
      const { bytes, payee } = await currentPayeeCertificate(terminal, context);
      const { name, currency } = restoreVerified(payeeCertificate, bytes, context.crypto).content.terms;
      const { terminalId } = terminal;
      const about = { terminalId, payeeId: payee.payeeId, name, currency };
      return { ...about, ...issuer, ...(await lists()), payeeCertificate: base64url(bytes) };
    },
  );

  app.post(
    "/v1/sync",
    {
      schema: {
        ...signedCall(
          { summary: "A wallet brings its payments home and gets a certificate.", problems: RECORDS_PROBLEMS },
          SyncAnswer,
        ),
        querystring: SyncQuery,
      },
    },
    async (request): Promise<Encoded<typeof SyncAnswer>> => {
      const { ahead, holds, since } = request.query;
      const wishes = {
        ahead: ahead === "true",
        holds: holdsOf(holds),
        since: since === undefined ? undefined : Number(since),
      };
      const result = await syncDevice(bodyOf(request), wishes, context);
      return syncAnswerText(result, await lists());
    },
  );

  app.post(
    "/v1/uploads",
    {
      schema: signedCall(
        { summary: "A terminal uploads what it accepted.", status: 202, problems: RECORDS_PROBLEMS },
        UploadAnswer,
      ),
    },
    async (request, reply): Promise<Encoded<typeof UploadAnswer>> => {
      const { records, payeeCertificate: bytes } = await receiveUpload(bodyOf(request), context);
      reply.code(202);
      return { records: records.map(recordText), ...(await lists()), payeeCertificate: base64url(bytes) };
    },
  );

  deviceCareRoutes(plain, context);
  reverseMoneyRoutes(plain, context);
  eventRoutes(plain, context, lists);

  outcomeRoutes(plain, context);
  await plain.register(uploadStreamRoute, { context, lists });
}
