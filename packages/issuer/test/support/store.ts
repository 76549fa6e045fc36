import { type IssuerStore, SqliteIssuerStore } from "@cairn/stores";

/** A store in memory of which single methods do something else: fail, or take their time. */
export function storeWith(changes: (real: IssuerStore) => Partial<IssuerStore>): IssuerStore {
  const real = new SqliteIssuerStore(":memory:");
  const changed: Partial<Record<string | symbol, unknown>> = { ...changes(real) };
  return new Proxy<IssuerStore>(real, {
    get: (target, name) => {
      const own: unknown = changed[name] ?? Reflect.get(target, name, target);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}
