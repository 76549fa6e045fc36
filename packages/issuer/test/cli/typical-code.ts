import { encodeCbor } from "@cairn/cose";
import { writeCode } from "@cairn/messages";

/** A payment code as long as a typical one (certificate 178 bytes, payment 137), of bytes that hardly repeat. */
export function typicalCode(): string {
  return writeCode({ type: "payment", certificate: filler(178, 7), message: filler(137, 11) });
}

function filler(length: number, seed: number): Uint8Array {
  const content = Uint8Array.from({ length: length - 2 }, (_, index) => (index * index * seed + index * 31) & 0xff);
  return encodeCbor(content);
}
