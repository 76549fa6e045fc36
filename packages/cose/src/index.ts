export { copyOfBytes, cutBytesFromSlabs, newBytes, plainBytes, putWord, Scratch, wordAt } from "./bytes.ts";
export {
  type CborCode,
  CborError,
  type CborKey,
  type CborMap,
  type CborValue,
  MAXIMUM_CBOR_CONTAINERS,
  MAXIMUM_CBOR_DEPTH,
} from "./cbor.ts";
export {
  CborCursor,
  checkEnd,
  readArrayHead,
  readByteString,
  readInteger,
  readMapHead,
  readNull,
  readText,
  readTextBytes,
  readUnsigned,
} from "./cbor-cursor.ts";
export {
  checkCbor,
  decodeCbor,
  decodeCborSequence,
  decodeCborViews,
  readValue,
  splitCborSequence,
  splitCborSequenceViews,
} from "./cbor-decode.ts";
export { encodeCbor } from "./cbor-encode.ts";
export { CodedError } from "./coded-error.ts";
export { type CoseCode, CoseError } from "./cose-error.ts";
export {
  type CryptoCode,
  CryptoError,
  type CryptoPort,
  type HintedSignature,
  SIGNATURE_LENGTH,
  type SignatureBatches,
  type SignatureToVerify,
  type SignatureVerifier,
  type Signer,
  type UnhintedSignature,
} from "./crypto.ts";
export { generateWebSigner, type WebKeyPair, webCrypto, webSigner } from "./es256-web.ts";
export {
  compressedPoint,
  decodePublicKey,
  decompress,
  isCompressedPoint,
  keyThumbprint,
  type P256PublicKey,
  publicKeyFromCbor,
  publicKeyFromPoint,
  publicKeysEqual,
  publicKeyToCbor,
} from "./key.ts";
export { finishSign1, type PreparedSign1, prepareSign1, toBeSigned } from "./sign1.ts";
export { decodeSign1, type ProtectedHeaders, type Sign1, type Sign1Form } from "./sign1-decode.ts";
