import { createCipheriv, createDecipheriv } from "node:crypto";
import type { CertificateIdCipher } from "@cairn/issue";

/** AES-128 on single blocks. ECB is right here and nowhere else: every block is its own message and never repeats. */
export function certificateIdCipher(key: Uint8Array): CertificateIdCipher {
  // Without padding ECB keeps no state between blocks, so one object serves for ever.
  const encipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return {
    encryptBlock: (block) => new Uint8Array(encipher.update(block)),
    decryptBlock: (block) => new Uint8Array(decipher.update(block)),
  };
}
