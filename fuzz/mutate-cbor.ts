import { join } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

/**
 * A change that knows CBOR (RFC 8949): the input is read leniently into a tree, a node is changed, and the tree is
 * written again with lengths that fit, so that the change lies behind the first checks. Byte strings that hold CBOR
 * themselves, as headers and payloads of COSE do, are part of the tree.
 */
type Node =
  | { readonly kind: "head"; readonly major: 0 | 1 | 7; readonly argument: bigint; readonly width: number }
  | { readonly kind: "string"; readonly major: 2 | 3; readonly bytes: Uint8Array }
  /** A byte string that holds a CBOR sequence. */
  | { readonly kind: "wrapped"; readonly items: readonly Node[] }
  /** An array, a map (keys and values by turns) or a tag. */
  | {
      readonly kind: "container";
      readonly major: 4 | 5 | 6;
      readonly argument: bigint;
      readonly items: readonly Node[];
    };

const MOST_NODES = 2_000;
/** As deep as is worth it: deeper nesting is made by wrapping again. */
const DEEPEST = 12;

/** Undefined when the input is no CBOR at all. */
export function mutateCbor(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array | undefined {
  const items = readSequence(bytes, DEEPEST);
  if (items === undefined || items.length === 0) return undefined;
  const donors = readSequence(other, DEEPEST) ?? [];
  const target = random.below(items.reduce((sum, item) => sum + sizeOf(item), 0));
  return writeAll(change(items, { target, random, donors, seen: 0 }));
}

type Plan = { readonly target: number; readonly random: Random; readonly donors: readonly Node[]; seen: number };

function change(items: readonly Node[], plan: Plan): Node[] {
  return items.flatMap((item) => {
    const place = plan.seen++;
    if (place === plan.target) {
      plan.seen += sizeOf(item) - 1;
      return mutateNode(item, plan);
    }
    if (item.kind === "wrapped") return [{ ...item, items: change(item.items, plan) }];
    if (item.kind === "container") {
      const changed = change(item.items, plan);
      // Mostly the count follows the items; a count that lies is for the bytewise changes.
      const isSame = changed.length === item.items.length;
      return [{ ...item, items: changed, argument: isSame ? item.argument : countOf(item.major, changed.length) }];
    }
    return [item];
  });
}

const countOf = (major: number, items: number): bigint =>
  major === 5 ? BigInt(items >> 1) : major === 4 ? BigInt(items) : 0n;

const NUMBERS = [0n, 1n, 23n, 24n, 255n, 256n, 65_535n, 65_536n, 4_294_967_295n, 4_294_967_296n];
const LARGE = [1_800_000_000n, 9_007_199_254_740_991n, 9_007_199_254_740_992n, (1n << 63n) - 1n, (1n << 64n) - 1n];

function mutateNode(node: Node, { random, donors }: Plan): Node[] {
  switch (random.below(10)) {
    case 0:
      return [];
    case 1:
      return [node, node];
    case 2:
      return [head(random.pick([0, 1, 7]), random.pick([...NUMBERS, ...LARGE]))];
    case 3:
      return [{ kind: "container", major: random.pick([4, 5, 6]), argument: 1n, items: [node] }];
    case 4:
      return [{ kind: "wrapped", items: [node] }];
    case 5:
      return [{ kind: "string", major: random.pick([2, 3]), bytes: random.bytes(random.below(70)) }];
    case 6:
      return [pickInside(donors, random) ?? node];
    case 7:
      if (node.kind === "container" && node.items.length > 1) return [{ ...node, items: shuffled(node.items, random) }];
      return [node];
    default:
      return [slightly(node, random)];
  }
}

const head = (major: 0 | 1 | 7, argument: bigint): Node => ({ kind: "head", major, argument, width: 0 });

/** The same kind of thing with another value. */
function slightly(node: Node, random: Random): Node {
  if (node.kind === "head") {
    if (random.below(8) === 0) return { ...node, width: 1 << random.below(4) };
    const changed = node.argument + BigInt(random.below(5) - 2);
    return { ...node, argument: changed < 0n ? 0n : changed };
  }
  if (node.kind === "string") {
    const bytes = node.bytes.slice();
    if (random.below(2) === 0) return { ...node, bytes: join(bytes, random.bytes(1 + random.below(4))) };
    if (random.below(2) === 0) return { ...node, bytes: bytes.subarray(0, random.below(bytes.length + 1)) };
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
    return { ...node, bytes };
  }
  if (node.kind === "wrapped") return { ...node, items: [...node.items, head(0, BigInt(random.below(30)))] };
  return { ...node, argument: node.argument + BigInt(random.below(3)) };
}

function shuffled(items: readonly Node[], random: Random): Node[] {
  const from = random.below(items.length);
  const rest = items.filter((_, index) => index !== from);
  const moved = items[from];
  return moved === undefined ? rest : rest.toSpliced(random.below(rest.length + 1), 0, moved);
}

function pickInside(items: readonly Node[], random: Random): Node | undefined {
  if (items.length === 0) return undefined;
  const item = random.pick(items);
  if ((item.kind === "wrapped" || item.kind === "container") && random.below(3) > 0)
    return pickInside(item.items, random) ?? item;
  return item;
}

const sizeOf = (node: Node): number =>
  node.kind === "wrapped" || node.kind === "container" ? node.items.reduce((sum, item) => sum + sizeOf(item), 1) : 1;

type Reader = { readonly bytes: Uint8Array; position: number; nodes: number };

/** Undefined unless all of it is CBOR. */
function readSequence(bytes: Uint8Array, deepest: number): Node[] | undefined {
  const reader: Reader = { bytes, position: 0, nodes: 0 };
  const items: Node[] = [];
  while (reader.position < bytes.length) {
    const item = readNode(reader, deepest);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function readNode(reader: Reader, deepest: number): Node | undefined {
  const initial = reader.bytes[reader.position++];
  if (initial === undefined || deepest === 0 || ++reader.nodes > MOST_NODES) return undefined;
  const major = initial >> 5;
  const info = initial & 31;
  if (info > 27) return undefined;
  const width = info < 24 ? 0 : 1 << (info - 24);
  let argument = BigInt(info < 24 ? info : 0);
  for (let count = 0; count < width; count++) {
    const byte = reader.bytes[reader.position++];
    if (byte === undefined) return undefined;
    argument = argument * 256n + BigInt(byte);
  }
  if (major === 0 || major === 1 || major === 7) return { kind: "head", major, argument, width };
  const left = reader.bytes.length - reader.position;
  if (argument > BigInt(left)) return undefined;
  if (major === 2 || major === 3) {
    const bytes = reader.bytes.slice(reader.position, reader.position + Number(argument));
    reader.position += bytes.length;
    const items = major === 2 && bytes.length > 1 ? readSequence(bytes, deepest - 1) : undefined;
    return items === undefined ? { kind: "string", major, bytes } : { kind: "wrapped", items };
  }
  if (major !== 4 && major !== 5 && major !== 6) return undefined;
  const count = major === 4 ? Number(argument) : major === 5 ? Number(argument) * 2 : 1;
  const items: Node[] = [];
  for (let index = 0; index < count; index++) {
    const item = readNode(reader, deepest - 1);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { kind: "container", major, argument, items };
}

const writeAll = (items: readonly Node[]): Uint8Array => join(...items.map(writeNode));

function writeNode(node: Node): Uint8Array {
  switch (node.kind) {
    case "head":
      return writeHead(node.major, node.argument, node.width);
    case "string":
      return join(writeHead(node.major, BigInt(node.bytes.length), 0), node.bytes);
    case "wrapped": {
      const inner = writeAll(node.items);
      return join(writeHead(2, BigInt(inner.length), 0), inner);
    }
    case "container":
      return join(writeHead(node.major, node.argument, 0), writeAll(node.items));
  }
}

/** @param least Bytes of argument to use at least: more than needed is not minimal, and must be refused. */
function writeHead(major: number, argument: bigint, least: number): Uint8Array {
  const needed = argument < 24n ? 0 : argument < 256n ? 1 : argument < 65_536n ? 2 : argument < 1n << 32n ? 4 : 8;
  const width = Math.max(needed, least);
  const bytes = new Uint8Array(1 + width);
  bytes[0] = (major << 5) | (width === 0 ? Number(argument) : 24 + Math.log2(width));
  for (let at = width, rest = argument; at > 0; at--, rest >>= 8n) bytes[at] = Number(rest & 255n);
  return bytes;
}
