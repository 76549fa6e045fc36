import type { Partition } from "@cairn/issue";

/**
 * The partition of what belongs to no account (a payee, a code, a nonce), from its own id: FNV-1a, lowest byte. Stored
 * keys begin with it, so it can never change.
 */
export function partitionOfId(id: string): Partition {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) mixed = Math.imul(mixed ^ id.charCodeAt(index), 0x01000193);
  return (mixed ^ (mixed >>> 16)) & 0xff;
}
