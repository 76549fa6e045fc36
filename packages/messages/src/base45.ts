import { newBytes } from "@cairn/cose";
import { MessageError } from "./message-error.ts";

/** Base45 (RFC 9285): two bytes become three characters of the alphabet that QR's alphanumeric mode packs tightly. */
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const DIGITS: Uint8Array = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const NO_VALUE = 0xff;
/** What a character code stands for. */
const VALUES: Uint8Array = Uint8Array.from({ length: 0x80 }, (_, code) => {
  const value = ALPHABET.indexOf(String.fromCharCode(code));
  return value < 0 ? NO_VALUE : value;
});

export function encodeBase45(bytes: Uint8Array): string {
  const isOdd = bytes.length % 2 === 1;
  const length = ((bytes.length - (isOdd ? 1 : 0)) / 2) * 3 + (isOdd ? 2 : 0);
  const characters = length <= DESK.length ? DESK : new Uint8Array(length);
  let offset = 0;
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    const number = ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
    const higher = (number / 45) | 0;
    const highest = (higher / 45) | 0;
    characters[offset++] = DIGITS[number - higher * 45] ?? 0;
    characters[offset++] = DIGITS[higher - highest * 45] ?? 0;
    characters[offset++] = DIGITS[highest] ?? 0;
  }
  if (isOdd) {
    const last = bytes[bytes.length - 1] ?? 0;
    characters[offset++] = DIGITS[last % 45] ?? 0;
    characters[offset++] = DIGITS[(last / 45) | 0] ?? 0;
  }
  return asciiText(characters.subarray(0, offset));
}

/** Where a code is put together before it becomes text: nobody else writes meanwhile, and most fit. */
const DESK = new Uint8Array(4_096);
/** Several times as fast as joining characters, and not there in every engine. */
const decoder = typeof TextDecoder === "undefined" ? undefined : new TextDecoder();
/** Character codes turned into text at once: far below every engine's limit on arguments. */
const CHUNK = 4_096;

function asciiText(codes: Uint8Array): string {
  if (decoder !== undefined) return decoder.decode(codes);
  let text = "";
  for (let start = 0; start < codes.length; start += CHUNK)
    text += String.fromCharCode(...codes.subarray(start, start + CHUNK));
  return text;
}

/** @throws MessageError CODE_TEXT_INVALID on characters, lengths or numbers that no encoder writes. */
export function decodeBase45(text: string): Uint8Array {
  if (text.length % 3 === 1) throw new MessageError("CODE_TEXT_INVALID", "cut off");
  const bytes = newBytes(Math.floor(text.length / 3) * 2 + (text.length % 3 === 2 ? 1 : 0));
  let offset = 0;
  for (let index = 0; index < text.length; index += 3) {
    const whole = index + 2 < text.length;
    const number = valueAt(text, index) + valueAt(text, index + 1) * 45 + (whole ? valueAt(text, index + 2) * 2025 : 0);
    if (number > (whole ? 0xffff : 0xff)) throw new MessageError("CODE_TEXT_INVALID", "not base45");
    if (whole) bytes[offset++] = number >> 8;
    bytes[offset++] = number & 0xff;
  }
  return bytes;
}

function valueAt(text: string, index: number): number {
  const value = VALUES[text.charCodeAt(index)] ?? NO_VALUE;
  if (value === NO_VALUE) throw new MessageError("CODE_TEXT_INVALID", "a character that no code has");
  return value;
}
