import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeCrypto } from "@cairn/cose/node";
import { DEFAULT_POLICY } from "@cairn/issue";
import type { IssuerId } from "@cairn/messages";
import { type IssuerStore, SqliteIssuerStore } from "@cairn/stores";
import type { FastifyInstance } from "fastify";
import { ClockWatch } from "./clock-watch.ts";
import { followHouse, followPolicy, type Housekeeping, keepHouse, startHousekeeping } from "./housekeeping.ts";
import { createApp } from "./http/app.ts";
import { readAppFiles } from "./http/app-files.ts";
import { appRoutes } from "./http/app-routes.ts";
import { ARRIVAL_TIMEOUT_MS } from "./http/arrival-limit.ts";
import { deviceRoutes } from "./http/device-routes.ts";
import { Counter } from "./http/metrics/metric-text.ts";
import { metricsRoutes } from "./http/metrics/metrics-routes.ts";
import { operatorRoutes } from "./http/operator-routes.ts";
import { serviceRoutes } from "./http/service-routes.ts";
import { canSign, openIssuerKeys } from "./keys/issuer-keys.ts";
import { openOperatorToken } from "./keys/operator-token.ts";
import { StatusListPublisher } from "./lists/status-list-publisher.ts";
import { TrustListPublisher, trustListFile } from "./lists/trust-list-publisher.ts";
import { checkOptions, type IssuerOptions, type RunningIssuer } from "./options.ts";
import { Policies, settlementPolicy } from "./policy/policies.ts";
import { systemClock, systemRandom } from "./ports.ts";
import { AttemptLimit } from "./services/attempt-limit.ts";
import { Backups } from "./services/backups.ts";
import { entrySeal } from "./services/entry-seal.ts";
import { InboxLimit } from "./services/inbox-limit.ts";
import { PushChannel } from "./services/push-channel.ts";
import { ReceiverCredits } from "./services/receiver-credits.ts";
import { DEFAULT_RECEIVING } from "./services/receiving.ts";
import type { ServerContext } from "./services/server-context.ts";
import { storeAnswers } from "./services/store-answers.ts";
import { answerDevice } from "./services/syncing.ts";
import { verificationCaches } from "./settlement/context.ts";
import { VerificationPool } from "./settlement/verification-pool.ts";
import { SettlementWorker } from "./settlement/worker.ts";
import { Sources } from "./sources/refresh.ts";

const SETTLE_INTERVAL_MS = 1_000;
const SOURCES_REFRESH_SECONDS = 60;
const PUSH_CONNECTIONS = 1_000;
const PUSH_HEARTBEAT_MS = 15_000;
const HOUSEKEEPING_INTERVAL_MS = 60_000;
const POLICY_INTERVAL_MS = 2_000;

const APPS = ["wallet", "terminal"];
const BUILT_APPS = fileURLToPath(new URL("../../../apps", import.meta.url));

/** How the server stands, as far as calls are concerned: `undefined` is open. */
type Gate = { unavailable: "NOT_READY" | "SHUTTING_DOWN" | undefined; publicUrl: string };

/**
 * Starts the issuer's server and its settlement worker in this process. Signals are the caller's: call `close()`.
 * @throws CodedError: OptionsError, KeyFileError, StoreError; EADDRINUSE of the system.
 */
export async function startIssuer(options: IssuerOptions): Promise<RunningIssuer> {
  const issuerId = checkOptions(options);
  await mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
  // The store comes first: it refuses a second process, which must not get as far as making keys.
  const { progress } = options;
  const store =
    options.store ??
    new SqliteIssuerStore(join(options.dataFolder, "issuer.sqlite"), progress === undefined ? {} : { progress });
  try {
    return await startOn(store, issuerId, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startOn(store: IssuerStore, issuerId: IssuerId, options: IssuerOptions): Promise<RunningIssuer> {
  const gate: Gate = { unavailable: "NOT_READY", publicUrl: options.publicUrl ?? "" };
  const logLines = new Counter();
  const app = await createApp({
    onLogLine: (level) => logLines.add({ level }),
    logLevel: options.logLevel ?? "info",
    logTo: options.logTo ?? process.stdout,
    trustedProxies: options.trustedProxies,
    arrivalTimeoutMs: options.arrivalTimeoutMs ?? ARRIVAL_TIMEOUT_MS,
    unavailable: () => gate.unavailable,
  });
  try {
    const { context, worker } = await wire(store, issuerId, options, { app, gate });
    const operatorToken = await openOperatorToken(options.dataFolder, context.random);
    const isReady = async () =>
      gate.unavailable === undefined && worker.healthy && canServe(context) && (await storeAnswers(store));
    serviceRoutes(app, isReady);
    metricsRoutes(app, { context, token: operatorToken, isReady, logLines });
    await app.register(deviceRoutes, { ...context, issuerId, issuerName: options.issuerName });
    await app.register(operatorRoutes, { prefix: "/v1/operator", context, token: operatorToken });
    const apps = await serveApps(app, options.appsFolder ?? BUILT_APPS);
    const url = await listen(app, options);
    gate.publicUrl = (options.publicUrl ?? url).replace(/\/+$/, "");
    const isAlone = options.role !== "api";
    if (isAlone) await context.trustLists.refresh(context.clock.nowSeconds());
    const round = () => (isAlone ? keepHouse(context) : followHouse(context));
    await round();
    const housekeeping = startHousekeeping(round, options.housekeepingIntervalMs ?? HOUSEKEEPING_INTERVAL_MS);
    const following = startHousekeeping(async () => {
      await followPolicy(context);
    }, options.policyIntervalMs ?? POLICY_INTERVAL_MS);
    if (isAlone) worker.start();
    gate.unavailable = undefined;
    void store.lost().then((error) => app.log.fatal({ err: error }, "the database is lost to this process"));
    app.log.info({ url, publicUrl: gate.publicUrl, issuerId }, "issuer is up");
    return {
      url,
      operatorToken,
      apps,
      storeLost: store.lost(),
      close: closeOnce({ app, gate, worker, rounds: [housekeeping, following], store, credits: context.credits }),
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Serves the apps that were built, and answers their names. */
async function serveApps(app: FastifyInstance, folder: string): Promise<readonly string[]> {
  const served: string[] = [];
  for (const name of APPS) {
    const files = await readAppFiles(join(folder, name, "dist"));
    if (files === undefined) continue;
    appRoutes(app, name, files);
    served.push(name);
  }
  return served;
}

/** Puts the services together. Nothing runs yet. */
async function wire(
  store: IssuerStore,
  issuerId: IssuerId,
  options: IssuerOptions,
  { app, gate }: { readonly app: FastifyInstance; readonly gate: Gate },
): Promise<{ readonly context: ServerContext; readonly worker: SettlementWorker }> {
  const { dataFolder, passphrase, issuerName } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const crypto = nodeCrypto();
  const log = app.log;
  const policy = options.policy ?? DEFAULT_POLICY;
  const policies = await Policies.open({ store, clock, log, file: options.policyFile, policy });
  const mayCreate = options.role !== "api" && (await isEmpty(store));
  const keys = await openIssuerKeys({
    dataFolder,
    passphrase,
    mayCreate,
    now: clock.nowSeconds(),
    random,
    crypto,
    offlineRoot: options.offlineRootKey,
  });
  const { certificateIdCipher, nonceSecret } = keys;
  store.sealEntriesWith(entrySeal({ crypto, nonceSecret }));
  const identity = () => ({ issuerId, issuerName, issuerUrl: gate.publicUrl });
  const trustLists = new TrustListPublisher({ file: trustListFile(dataFolder), identity, keys, crypto });
  const uri = () => `${gate.publicUrl}/v1/status-list`;
  const statusLists = new StatusListPublisher({ uri, store, keys, crypto });
  // One for intake and settlement, which look at the same records a moment later.
  const caches = verificationCaches();
  const worker = new SettlementWorker({
    store,
    crypto,
    clock,
    log,
    certificateIdCipher,
    pool: new VerificationPool(),
    caches,
    anchors: () => trustLists.current().settlementAnchors,
    policy: settlementPolicy(policies, clock),
    intervalMs: options.settleIntervalMs ?? SETTLE_INTERVAL_MS,
    onWithdrawn: () => statusLists.markChanged(),
    onSettled: (partition, entries) => {
      push.partitionChanged(partition);
      credits.settled(partition, entries);
    },
  });
  const credits = new ReceiverCredits({
    store,
    clock,
    log,
    onCredited: (account) => push.accountChanged(account, "settlement-posted"),
  });
  const attempts = new AttemptLimit(options.enrolmentAttempts);
  const inboxLimit = new InboxLimit({ store, clock, limit: options.inboxLimit });
  const wakeWorker = () => worker.wake();
  const ports = { store, crypto, clock, random, log, keys, policies };
  // The channel asks as a sync does, and so needs the context that it is part of.
  const push: PushChannel = new PushChannel({
    store,
    log,
    answer: (device, about) => answerDevice(device, { ahead: false, ...about }, context),
    maximumListeners: options.pushConnections ?? PUSH_CONNECTIONS,
  });
  const sources = new Sources({
    store,
    clock,
    log,
    creditSource: options.creditSource,
    accountSource: options.accountSource,
    refreshAfterSeconds: options.sourcesRefreshSeconds ?? SOURCES_REFRESH_SECONDS,
  });
  const monotonicMs = options.monotonicMs ?? (options.clock === undefined ? () => performance.now() : undefined);
  const context: ServerContext = {
    clockWatch: monotonicMs === undefined ? undefined : new ClockWatch(clock, monotonicMs),
    sources,
    push,
    pushHeartbeatMs: options.pushHeartbeatMs ?? PUSH_HEARTBEAT_MS,
    ...ports,
    sealing: keys,
    decoding: caches.decoding,
    certificateIdCipher,
    nonceSecret,
    attempts,
    inboxLimit,
    arrivalTimeoutMs: options.arrivalTimeoutMs ?? ARRIVAL_TIMEOUT_MS,
    trustLists,
    statusLists,
    wakeWorker,
    credits,
    receiving: options.receiving === "off" ? undefined : (options.receiving ?? DEFAULT_RECEIVING),
    tillRefunds: options.tillRefunds ?? true,
    backups: new Backups({ folder: join(dataFolder, "backups"), store, clock, log }),
  };
  return { context, worker };
}

/** Devices can be given a list that holds, and a certificate. */
function canServe(context: ServerContext): boolean {
  return context.trustLists.isUsable(context.clock.nowSeconds()) && canSign(context);
}

/** New keys may be made only where there is nothing yet that depends on old ones. */
async function isEmpty(store: IssuerStore): Promise<boolean> {
  return (await store.accounts()).length === 0 && (await store.payees()).length === 0;
}

async function listen(app: FastifyInstance, { host = "127.0.0.1", port }: IssuerOptions): Promise<string> {
  await app.listen({ host, port });
  const [address] = app.addresses();
  const name = host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${typeof address === "object" ? address.port : port}`;
}

function closeOnce(parts: {
  readonly app: FastifyInstance;
  readonly gate: Gate;
  readonly worker: SettlementWorker;
  readonly credits: ReceiverCredits;
  readonly rounds: readonly Housekeeping[];
  readonly store: IssuerStore;
}): () => Promise<void> {
  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    parts.gate.unavailable = "SHUTTING_DOWN";
    await parts.app.close();
    for (const round of parts.rounds) await round.stop();
    await parts.worker.stop();
    await parts.credits.idle();
    await parts.store.close();
  }
  return () => {
    closing ??= close();
    return closing;
  };
}
