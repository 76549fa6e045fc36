export { generateNodeSigner, nodeCrypto, nodeSigner, signerFromPkcs8 } from "./es256.ts";
export { openSignatureBatches } from "./es256-batch.ts";
