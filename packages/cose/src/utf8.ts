/**
 * Strict UTF-8 (RFC 3629), by hand: React Native's engine has no TextDecoder everywhere, TextEncoder hides lone
 * surrogates, and for the short texts of messages a loop is faster than the call across the engine's border.
 */

/** Code units turned into text at once: far below every engine's limit on arguments. */
const CHUNK_UNITS = 4096;

/** The bytes of the text, or undefined when it holds half a surrogate pair. */
export function encodeUtf8(text: string): Uint8Array | undefined {
  // Three bytes a code unit is the most there can be: a pair of units takes four.
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      bytes[length++] = code;
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = text.charCodeAt(index + 1);
      if (code > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return undefined;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      index += 1;
    }
    if (code < 0x800) {
      bytes[length++] = 0xc0 | (code >> 6);
    } else {
      if (code < 0x10000) {
        bytes[length++] = 0xe0 | (code >> 12);
      } else {
        bytes[length++] = 0xf0 | (code >> 18);
        bytes[length++] = 0x80 | ((code >> 12) & 0x3f);
      }
      bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[length++] = 0x80 | (code & 0x3f);
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

/** The text of bytes `start` to `end` (exclusive), or undefined when they are not UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let units: number[] = [];
  let index = start;
  while (index < end) {
    const lead = bytes[index++] ?? 0;
    if (lead < 0x80) {
      units.push(lead);
    } else {
      const following =
        lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 0;
      if (following === 0 || index + following > end) return undefined;
      let code = lead & (0x3f >> following);
      for (let count = 0; count < following; count += 1) {
        const byte = bytes[index++] ?? 0;
        if (byte >> 6 !== 0b10) return undefined;
        code = (code << 6) | (byte & 0x3f);
      }
      if (following === 2 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return undefined;
      if (following === 3 && (code < 0x10000 || code > 0x10ffff)) return undefined;
      if (code < 0x10000) units.push(code);
      else units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    if (units.length >= CHUNK_UNITS) {
      text += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return text + String.fromCharCode.apply(null, units);
}
