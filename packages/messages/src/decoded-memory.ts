import type { CryptoPort } from "@cairn/cose";
import type { Decoded, MessageKind } from "./message.ts";
import { sameBytes } from "./same-bytes.ts";

/**
 * Messages that were decoded before, by their bytes. Decoding is a pure function, so a program that meets the same
 * certificates and lists over and over may remember what came out. What is malformed is never remembered.
 */
export class DecodedMemory {
  readonly #size: number;
  readonly #kinds = new Map<object, Map<number, Decoded<unknown>>>();

  /** @param size Messages of each kind, the oldest forgotten first. */
  constructor(size: number) {
    this.#size = size;
  }

  get<Content>(kind: MessageKind<Content>, bytes: Uint8Array): Decoded<Content> | undefined {
    const known = this.#of(kind).get(placeOf(bytes));
    if (known === undefined || !sameBytes(known.bytes, bytes)) return undefined;
    // Under its own kind lies nothing but messages of that kind.
    return known as Decoded<Content>;
  }

  add<Content>(decoded: Decoded<Content>): void {
    const known = this.#of(decoded.kind);
    known.set(placeOf(decoded.bytes), decoded as Decoded<unknown>);
    if (known.size <= this.#size) return;
    for (const oldest of known.keys()) {
      known.delete(oldest);
      return;
    }
  }

  #of<Content>(kind: MessageKind<Content>): Map<number, Decoded<unknown>> {
    const known = this.#kinds.get(kind);
    if (known !== undefined) return known;
    const made = new Map<number, Decoded<unknown>>();
    this.#kinds.set(kind, made);
    return made;
  }
}

const memories = new WeakMap<CryptoPort, DecodedMemory>();
/** Programs have one port, and ask by it all the time. */
let asked: { readonly crypto: CryptoPort; readonly memory: DecodedMemory | undefined } | undefined;

/** From here on whoever decodes with this port remembers up to `size` messages of each kind. */
export function rememberDecoded(crypto: CryptoPort, size: number): void {
  memories.set(crypto, new DecodedMemory(size));
  asked = undefined;
}

export function memoryOf(crypto: CryptoPort): DecodedMemory | undefined {
  if (asked?.crypto !== crypto) asked = { crypto, memory: memories.get(crypto) };
  return asked.memory;
}

/**
 * By 30 bits of the last bytes, which are of the signature: hardly ever the same for two messages, and then the younger
 * stays. Engines keep so small a number in the pointer itself, which makes it several times as quick a key.
 */
function placeOf(bytes: Uint8Array): number {
  const end = bytes.length;
  const low = ((bytes[end - 4] ?? 0) << 24) | ((bytes[end - 3] ?? 0) << 16);
  return (low | ((bytes[end - 2] ?? 0) << 8) | (bytes[end - 1] ?? 0)) & 0x3fffffff;
}
