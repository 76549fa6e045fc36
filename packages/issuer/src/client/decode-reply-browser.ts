/**
 * Reads replies by the same schemas as decode-reply.ts, as plain JSON, without the library that made them: for apps,
 * where that library would weigh more than the app. Knows the keywords that the device API uses and refuses any other,
 * so that no rule of a schema is ever passed over. Test: packages/issuer/test/decode-reply.test.ts.
 */
type Schema = { readonly [keyword: string]: unknown };

/** @throws TypeError when the JSON is not of the schema. */
export function decodeReply(schema: Schema, json: unknown): unknown {
  const decoded = decode(schema, json);
  if (decoded === undefined) throw new TypeError("The reply is not of its schema.");
  return decoded.value;
}

type Decoded = { readonly value: unknown };
const KNOWN = new Set([
  ..."type const anyOf properties required additionalProperties items pattern minimum maximum minLength".split(" "),
  ..."maxLength description wire".split(" "),
]);

function decode(schema: Schema, json: unknown): Decoded | undefined {
  for (const keyword of Object.keys(schema))
    if (!KNOWN.has(keyword)) throw new TypeError(`Schemas with "${keyword}" are not read here.`);
  if ("const" in schema) return json === schema.const ? { value: json } : undefined;
  if (isList(schema.anyOf)) return firstOf(schema.anyOf, json);
  switch (schema.type) {
    case "null":
      return json === null ? { value: null } : undefined;
    case "boolean":
      return typeof json === "boolean" ? { value: json } : undefined;
    case "integer":
      return Number.isInteger(json) ? number(schema, json) : undefined;
    case "number":
      return number(schema, json);
    case "string":
      return text(schema, json);
    case "array":
      return Array.isArray(json) && isSchema(schema.items) ? all(schema.items, json) : undefined;
    case "object":
      return object(schema, json);
    default:
      throw new TypeError(`Schemas of type ${String(schema.type)} are not read here.`);
  }
}

function firstOf(schemas: readonly unknown[], json: unknown): Decoded | undefined {
  for (const schema of schemas) {
    const decoded = isSchema(schema) ? decode(schema, json) : undefined;
    if (decoded !== undefined) return decoded;
  }
  return undefined;
}

function number({ minimum, maximum }: Schema, json: unknown): Decoded | undefined {
  if (typeof json !== "number") return undefined;
  const isLow = typeof minimum === "number" && json < minimum;
  const isHigh = typeof maximum === "number" && json > maximum;
  return isLow || isHigh ? undefined : { value: json };
}

function text({ pattern, minLength, maxLength, wire }: Schema, json: unknown): Decoded | undefined {
  if (typeof json !== "string") return undefined;
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(json)) return undefined;
  if (typeof minLength === "number" && json.length < minLength) return undefined;
  if (typeof maxLength === "number" && json.length > maxLength) return undefined;
  if (wire === "minor") return { value: BigInt(json) };
  if (wire === "bytes") return { value: fromBase64url(json) };
  return { value: json };
}

function all(schema: Schema, json: readonly unknown[]): Decoded | undefined {
  const values: unknown[] = [];
  for (const each of json) {
    const decoded = decode(schema, each);
    if (decoded === undefined) return undefined;
    values.push(decoded.value);
  }
  return { value: values };
}

function object({ properties, required, additionalProperties }: Schema, json: unknown): Decoded | undefined {
  if (!isSchema(json) || Array.isArray(json) || !isSchema(properties)) return undefined;
  const entries: [string, unknown][] = [];
  for (const [name, each] of Object.entries(json)) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!isSchema(schema)) {
      if (additionalProperties === false) return undefined;
      entries.push([name, each]);
      continue;
    }
    const decoded = decode(schema, each);
    if (decoded === undefined) return undefined;
    entries.push([name, decoded.value]);
  }
  // Not name by name: to assign to "__proto__" would give the value properties that no schema has looked at.
  const value = Object.fromEntries(entries);
  const isWhole = !isList(required) || required.every((name) => typeof name === "string" && Object.hasOwn(value, name));
  return isWhole ? { value } : undefined;
}

const isSchema = (value: unknown): value is Schema => typeof value === "object" && value !== null;
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

function fromBase64url(encoded: string): Uint8Array {
  const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
