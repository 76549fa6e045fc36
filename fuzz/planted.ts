/** A decoder with a planted defect behind four bytes that have to be right one after the other: fuzz.test.ts must find it. */
export function decodeNested(input: Uint8Array): boolean {
  if (input[0] === 0x84) {
    if (input[1] === 0x43) {
      if (input[2] === 0xa1) {
        if (input[3] === 0x39) {
          return true;
        }
      }
    }
  }
  return false;
}
