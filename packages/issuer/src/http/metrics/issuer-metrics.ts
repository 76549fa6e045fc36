import type { LedgerAccount } from "@cairn/settle";
import type { ServerContext } from "../../services/server-context.ts";
import { metric, type Sample } from "./metric-text.ts";

const MONEY = ["clearing", "payee", "payouts", "fees", "loss-reserve", "cash", "wallet", "credit"] as const;

/** What the database knows, asked for when it is scraped: every server of an issuer says the same of it. */
export async function storedMetrics({ store, clock }: ServerContext): Promise<string[]> {
  const now = clock.nowSeconds();
  const held = await store.heldPayments();
  const conflicts = (await store.conflicts()).filter(({ resolvedAt }) => resolvedAt === undefined);
  const oldest = held.reduce((oldestAt, { decidedAt }) => Math.min(oldestAt, decidedAt), now);
  const transfers = await store.operationRecords("open-transfer");
  const money: Sample[] = [];
  for (const kind of MONEY) money.push(...(await sums(store, kind)));
  return [
    metric("cairn_held_payments", "gauge", "Payments that wait for a person.", [{ value: held.length }]),
    metric("cairn_held_oldest_seconds", "gauge", "How long the oldest of them has waited.", [{ value: now - oldest }]),
    metric("cairn_unresolved_conflicts", "gauge", "Devices proven to be cloned that nobody has looked at.", [
      { value: conflicts.length },
    ]),
    metric("cairn_inbox_waiting_records", "gauge", "Records that were received and not judged yet.", [
      { value: await store.waitingRecords() },
    ]),
    metric("cairn_transfers_open", "gauge", "Transfers that left a partition and have not arrived.", [
      { value: transfers.length },
    ]),
    metric("cairn_ledger_minor", "gauge", "Sum of each kind of ledger account, minor units; debit positive.", money),
  ];
}

/** What the process knows of policy, keys and lists, without the database. */
export function keptMetrics({ clock, policies, keys, trustLists, clockWatch }: ServerContext): string[] {
  const now = clock.nowSeconds();
  const { policy, fingerprint } = policies.at(now);
  const validUntil = keys.all().filter(({ withdrawnAt }) => withdrawnAt === undefined);
  const keyUntil = validUntil.reduce((latest, key) => Math.max(latest, key.validUntil), now);
  const listUntil = trustLists.published()?.list.content.expiresAt ?? now;
  return [
    metric("cairn_clock_trusted", "gauge", "0 for an hour after the machine's clock jumped.", [
      { value: clockWatch?.isTrusted === false ? 0 : 1 },
    ]),
    metric("cairn_trust_list_valid_seconds", "gauge", "How long the published trust list still holds.", [
      { value: Math.max(0, listUntil - now) },
    ]),
    metric("cairn_signing_key_valid_seconds", "gauge", "How long the last of the issuer's keys still holds.", [
      { value: keyUntil - now },
    ]),
    metric("cairn_policy_info", "gauge", "Always 1; the labels say which issuing policy is in force.", [
      { labels: { version: policy.version, fingerprint }, value: 1 },
    ]),
    metric("cairn_policy_file_refused", "gauge", "1 when the policy file as it is now could not be taken over.", [
      { value: policies.failure === undefined ? 0 : 1 },
    ]),
  ];
}

async function sums(store: ServerContext["store"], kind: LedgerAccount["kind"]): Promise<Sample[]> {
  return (await store.ledgerSums(kind)).map(({ currency, minor }) => ({ labels: { kind, currency }, value: minor }));
}
