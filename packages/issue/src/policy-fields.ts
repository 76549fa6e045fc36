import { MAXIMUM_MINOR } from "@cairn/messages";
import { PolicyError } from "./policy-error.ts";

/**
 * Reads the fields of a policy from parsed JSON. A field that is left out takes its default; one that cannot be used is
 * noted with its path and takes the default for the time being, so that one look finds every fault.
 */

/** An object whose keys are all known. */
export type Section<Key extends string> = {
  readonly path: string;
  readonly values: ReadonlyMap<Key, unknown>;
  /** Of the whole policy, in the order in which they are met. */
  readonly faults: PolicyError[];
};

/** Two years: no certificate, window or deadline is meant to be longer. */
const MAXIMUM_SECONDS = 2 * 366 * 86_400;

export function readSection<const Key extends string>(
  json: unknown,
  path: string,
  known: readonly Key[],
  faults: PolicyError[],
): Section<Key> {
  const values = new Map<Key, unknown>();
  if (typeof json !== "object" || json === null || !isPlain(json)) {
    faults.push(invalid(path, "must be an object"));
    return { path, values, faults };
  }
  for (const [name, value] of Object.entries(json)) {
    const key = known.find((candidate) => candidate === name);
    if (key === undefined)
      faults.push(
        new PolicyError(
          "POLICY_FIELD_UNKNOWN",
          join(path, name),
          `is not part of a policy; here can be ${known.join(", ")}`,
        ),
      );
    else values.set(key, value);
  }
  return { path, values, faults };
}

/** Anything with a prototype of its own (an array, a Map) would look like an object without keys: all defaults. */
function isPlain(json: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(json);
  return prototype === Object.prototype || prototype === null;
}

export function readChild<Parent extends string, const Key extends string>(
  parent: Section<Parent>,
  name: Parent,
  known: readonly Key[],
): Section<Key> {
  const path = join(parent.path, name);
  const { faults } = parent;
  return parent.values.has(name)
    ? readSection(parent.values.get(name), path, known, faults)
    : { path, values: new Map(), faults };
}

export function readFlag<Key extends string>(section: Section<Key>, name: Key, fallback: boolean): boolean {
  return readField(section, name, fallback, "must be true or false", (value) =>
    typeof value === "boolean" ? value : undefined,
  );
}

export function readInteger<Key extends string>(
  section: Section<Key>,
  name: Key,
  { minimum, maximum, fallback }: { minimum: number; maximum: number; fallback: number },
): number {
  return readField(section, name, fallback, `must be a whole number from ${minimum} to ${maximum}`, (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined,
  );
}

export function readPercent<Key extends string>(section: Section<Key>, name: Key, fallback: number): number {
  return readInteger(section, name, { minimum: 0, maximum: 100, fallback });
}

export function readSeconds<Key extends string>(
  section: Section<Key>,
  name: Key,
  fallback: number,
  minimum = 1,
): number {
  return readInteger(section, name, { minimum, maximum: MAXIMUM_SECONDS, fallback });
}

export function readMinor<Key extends string>(
  section: Section<Key>,
  name: Key,
  { minimum, fallback }: { minimum: bigint; fallback: bigint },
): bigint {
  const why = `must be a string of minor units from ${minimum} to ${MAXIMUM_MINOR}, such as "5000"`;
  return readField(section, name, fallback, why, (value) => {
    if (typeof value !== "string" || !/^(?:0|[1-9]\d{0,15})$/.test(value)) return undefined;
    const minor = BigInt(value);
    return minor < minimum || minor > MAXIMUM_MINOR ? undefined : minor;
  });
}

export function readOneOf<Key extends string, const Value extends string | number>(
  section: Section<Key>,
  name: Key,
  allowed: readonly Value[],
  fallback: Value,
): Value {
  const why = `must be one of ${allowed.map((value) => JSON.stringify(value)).join(", ")}`;
  return readField(section, name, fallback, why, (value) => allowed.find((candidate) => candidate === value));
}

/** A name that people read in lists and logs. */
export function readName<Key extends string>(section: Section<Key>, name: Key, fallback: string): string {
  return readField(section, name, fallback, "must be 1 to 40 printable characters of ASCII", (value) =>
    typeof value === "string" && /^[\x21-\x7e](?:[\x20-\x7e]{0,38}[\x21-\x7e])?$/.test(value) ? value : undefined,
  );
}

function readField<Key extends string, Value>(
  section: Section<Key>,
  name: Key,
  fallback: Value,
  why: string,
  read: (value: unknown) => Value | undefined,
): Value {
  if (!section.values.has(name)) return fallback;
  const value = read(section.values.get(name));
  if (value === undefined) section.faults.push(invalid(join(section.path, name), why));
  return value ?? fallback;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function invalid(path: string, why: string): PolicyError {
  return new PolicyError("POLICY_FIELD_INVALID", path, why);
}
