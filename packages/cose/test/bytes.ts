/** Bytes written as hex digits, spaces allowed. */
export function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.replaceAll(" ", ""), "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** For `assert.throws`: an error of this class name with this code. */
export function coded(name: string, code: string): { name: string; code: string } {
  return { name, code };
}
