import { createCipheriv, createDecipheriv } from "node:crypto";
import type { CertificateIdCipher } from "@cairn/issue";

/** AES-128 on single blocks with node:crypto. */
export function aesBlockCipher(key: Uint8Array): CertificateIdCipher {
  const run = (cipher: ReturnType<typeof createCipheriv> | ReturnType<typeof createDecipheriv>, block: Uint8Array) => {
    cipher.setAutoPadding(false);
    return new Uint8Array(Buffer.concat([cipher.update(block), cipher.final()]));
  };
  return {
    encryptBlock: (block) => run(createCipheriv("aes-128-ecb", key, null), block),
    decryptBlock: (block) => run(createDecipheriv("aes-128-ecb", key, null), block),
  };
}
