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
  let text = "";
  for (let index = 0; index < bytes.length; index += 2) {
    const first = bytes[index] ?? 0;
    const second = bytes[index + 1];
    if (second === undefined) return text + String.fromCharCode(digit(first), digit(first / 45));
    const number = first * 256 + second;
    text += String.fromCharCode(digit(number), digit(number / 45), digit(number / 2025));
  }
  return text;
}

/** The character code of the lowest digit of a number, fractions left aside. */
const digit = (number: number): number => DIGITS[Math.floor(number) % 45] ?? 0;

/** @throws MessageError CODE_TEXT_INVALID on characters, lengths or numbers that no encoder writes. */
export function decodeBase45(text: string): Uint8Array {
  if (text.length % 3 === 1) throw new MessageError("CODE_TEXT_INVALID", "cut off");
  const bytes = new Uint8Array(Math.floor(text.length / 3) * 2 + (text.length % 3 === 2 ? 1 : 0));
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
