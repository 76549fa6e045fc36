import { MAXIMUM_BODY_BYTES } from "@cairn/messages";
import swagger from "@fastify/swagger";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { LogLevel } from "../options.ts";
import { limitArrival } from "./arrival-limit.ts";
import { answerBrokenConnection } from "./broken-connection.ts";
import {
  EdgeError,
  type Failure,
  PROBLEM_TYPE,
  PROBLEMS,
  type ProblemCode,
  problemDocument,
  problemOf,
} from "./problems.ts";
import { validatorCompiler } from "./typebox.ts";

export type AppOptions = {
  readonly logLevel: LogLevel;
  readonly logTo: { write(line: string): void };
  /** Told of every line that is written: "info", "warn", "error" and so on. */
  readonly onLogLine?: (level: string) => void;
  /** Addresses of proxies whose word for the caller's address is believed. */
  readonly trustedProxies: string | undefined;
  /** A whole request, or one portion of a streamed one, has to arrive within this time. */
  readonly arrivalTimeoutMs: number;
  /** Why calls cannot be served at the moment; undefined while they can. */
  readonly unavailable: () => "NOT_READY" | "SHUTTING_DOWN" | undefined;
};

/** The longest streamed upload; one that takes longer goes on with a new connection. */
const STREAM_TIMEOUT_MS = 1_800_000;
/** Nothing that a call asks for takes this long unless the machine is in trouble. */
const HANDLER_TIMEOUT_MS = 60_000;
const IDLE_CONNECTION_MS = 30_000;
/** The longest path parameter is a payment id. */
const MAXIMUM_PARAMETER_LENGTH = 100;
/** Answered whatever state the server is in: is the process alive, and can it work? */
const ALWAYS_ANSWERED: readonly (string | undefined)[] = ["/health", "/ready"];

/** The bare server: limits, strict input, problem documents for every failure, one log line for each call. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: { level: options.logLevel, stream: options.logTo, mixin: counting(options.onLogLine) },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAXIMUM_BODY_BYTES,
    requestTimeout: STREAM_TIMEOUT_MS,
    http: { headersTimeout: options.arrivalTimeoutMs },
    handlerTimeout: HANDLER_TIMEOUT_MS,
    connectionTimeout: options.arrivalTimeoutMs,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    trustProxy: options.trustedProxies ?? false,
    routerOptions: { maxParamLength: MAXIMUM_PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => sendFailure(error, request, reply),
    clientErrorHandler: answerBrokenConnection,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(sendFailure);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, "ROUTE_UNKNOWN"));
  app.addHook("onRequest", async (request, reply) => {
    const unavailable = options.unavailable();
    if (unavailable === undefined || ALWAYS_ANSWERED.includes(request.routeOptions.url)) return;
    reply.header("connection", "close");
    throw new EdgeError(unavailable);
  });
  limitArrival(app, options.arrivalTimeoutMs);
  app.addHook("onResponse", async (request, reply) => {
    const { statusCode: status, elapsedTime } = reply;
    const route = request.routeOptions.url ?? "unknown";
    request.log.info({ method: request.method, route, status, milliseconds: Math.round(elapsedTime) }, "call");
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Cairn issuer",
        description: `Payments where neither side has a network. Every failure is a problem document (RFC 9457) with one of these codes:\n\n${problemTable()}`,
        version: "1",
      },
      components: { securitySchemes: { operator: { type: "http", scheme: "bearer" } } },
    },
  });
  return app;
}

/** A mixin is asked for each line and adds nothing to it. */
const counting =
  (onLine: AppOptions["onLogLine"]) =>
  (_facts: object, level: number, { levels }: { levels: { labels: Readonly<Record<number, string>> } }): object => {
    onLine?.(levels.labels[level] ?? `${level}`);
    return {};
  };

function sendFailure(error: FastifyError | EdgeError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, detail } = loggedFailure(error, request);
  return sendProblem(reply, code, detail);
}

/** What the caller is told of an error; the log is told more. */
export function loggedFailure(error: unknown, request: FastifyRequest): Failure {
  const { code, detail } = problemOf(error, request.raw.errored);
  if (PROBLEMS[code].status >= 500 && code !== "SHUTTING_DOWN") request.log.error({ err: error, code }, "call failed");
  else request.log.info({ code, detail }, "call turned away");
  return { code, detail };
}

function sendProblem(reply: FastifyReply, code: ProblemCode, detail?: string): FastifyReply {
  if (code === "TOO_MANY_ATTEMPTS" || code === "INBOX_FULL")
    reply.header("retry-after", Number.parseInt(detail ?? "60", 10));
  if (code === "OPERATOR_TOKEN_INVALID") reply.header("www-authenticate", "Bearer");
  const document = problemDocument(code, detail);
  return reply.code(document.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(document);
}

function problemTable(): string {
  return Object.entries(PROBLEMS)
    .map(([code, { status, sentence }]) => `- \`${code}\` (${status}): ${sentence}`)
    .join("\n");
}
