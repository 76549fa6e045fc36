import { type IssuerStore, MemoryIssuerStore } from "@cairn/stores";

/** A memory store of which single methods do something else: fail, or take their time. */
export function storeWith(changes: (real: IssuerStore) => Partial<IssuerStore>): IssuerStore {
  const real = new MemoryIssuerStore();
  const changed: Partial<Record<string | symbol, unknown>> = { ...changes(real) };
  return new Proxy<IssuerStore>(real, {
    get: (target, name) => {
      const own: unknown = changed[name] ?? Reflect.get(target, name, target);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}
