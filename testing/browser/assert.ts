/** `node:assert/strict` as far as the conformance suites use it, for a page. */
type Expected = (new (...values: never[]) => Error) | ((error: unknown) => boolean) | string;

function fail(message: string | undefined, found: string): never {
  throw new Error(message === undefined ? found : `${message}: ${found}`);
}

const show = (value: unknown): string =>
  JSON.stringify(value, (_key, each) =>
    typeof each === "bigint" ? `${each}n` : each instanceof Uint8Array ? `bytes ${each.join(",")}` : each,
  ) ?? String(value);

/** The same type, the same own keys, the same values, all the way down. */
export function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isSame(Reflect.get(left, key), Reflect.get(right, key)));
}

export function ok(value: unknown, message?: string): asserts value {
  if (!value) fail(message, `${show(value)} is not true`);
}

export function equal(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) fail(message, `${show(actual)} is not ${show(expected)}`);
}

export function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  if (!isSame(actual, expected)) fail(message, `${show(actual)} is not like ${show(expected)}`);
}

export async function rejects(promise: Promise<unknown>, expected?: Expected, message?: string): Promise<void> {
  const [error] = await promise.then(
    () => [],
    (reason: unknown) => [reason],
  );
  if (error === undefined) fail(typeof expected === "string" ? expected : message, "it did not reject");
  if (expected === undefined || typeof expected === "string") return;
  const isExpected = expected.prototype instanceof Error ? error instanceof expected : callExpected(expected, error);
  if (!isExpected) fail(message, `it rejected with ${String(error)}`);
}

function callExpected(expected: Exclude<Expected, string>, error: unknown): boolean {
  return Reflect.apply(expected, undefined, [error]) === true;
}

export default { ok, equal, deepEqual, rejects };
