import type { CreditDue } from "@cairn/issue";
import type { CertificateChange } from "./port.ts";
import { StoreError } from "./store-error.ts";

/** Short lists that are kept as JSON in one column, because they are only ever read and written as a whole. */

export function duesText(dues: readonly CreditDue[]): string {
  return JSON.stringify(dues.map(({ dueAt, minor }) => ({ dueAt, minor: minor.toString() })));
}

/** @throws StoreError STORE_DAMAGED */
export function readDues(text: string): readonly CreditDue[] {
  return readList(text, "dues", (value) => {
    const { dueAt, minor } = value;
    if (typeof dueAt !== "number" || typeof minor !== "string" || !/^\d{1,16}$/.test(minor)) return undefined;
    return { dueAt, minor: BigInt(minor) };
  });
}

export function changeText({ change, at, reason }: CertificateChange): string {
  return JSON.stringify({ change, at, reason });
}

/** @throws StoreError STORE_DAMAGED */
export function readChanges(text: string): readonly CertificateChange[] {
  return readList(text, "changes", (value) => {
    const { change, at, reason } = value;
    if (change !== "revoked" && change !== "restored") return undefined;
    return typeof at === "number" && typeof reason === "string" ? { change, at, reason } : undefined;
  });
}

/** When the certificate was restored, if that is the last that happened to it. */
export function restoredAtOf(changes: readonly CertificateChange[]): number | undefined {
  const last = changes.at(-1);
  return last?.change === "restored" ? last.at : undefined;
}

function readList<Item>(
  text: string,
  column: string,
  read: (value: Readonly<Record<string, unknown>>) => Item | undefined,
): readonly Item[] {
  // Nearly every row has none.
  if (text === "[]") return [];
  const values: unknown = JSON.parse(text);
  const items = Array.isArray(values)
    ? values.map((value: unknown) =>
        typeof value === "object" && value !== null ? read(Object.fromEntries(Object.entries(value))) : undefined,
      )
    : [undefined];
  return items.map((item) => {
    if (item === undefined)
      throw new StoreError("STORE_DAMAGED", `The column "${column}" holds what was never written into it.`);
    return item;
  });
}
