import assert from "node:assert/strict";
import { test } from "node:test";
import { accountNumber, IssueError, openCertificateId, partitionOf, sealCertificateId } from "@cairn/issue";
import { type CertificateId, fromHex, IDENTIFIER_BYTES, identifierFromText, toHex } from "@cairn/messages";
import fc from "fast-check";
import { aesBlockCipher } from "./aes-block.ts";

const cipher = aesBlockCipher(fromHex("000102030405060708090a0b0c0d0e0f"));
const otherCipher = aesBlockCipher(fromHex("0f0e0d0c0b0a09080706050403020100"));
const accountArbitrary = fc.integer({ min: 1, max: 2 ** 48 - 1 }).map(accountNumber);
const serialArbitrary = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function idFrom(clearHex: string): CertificateId {
  const id = identifierFromText<CertificateId>(
    toHex(cipher.encryptBlock(fromHex(clearHex))),
    IDENTIFIER_BYTES.certificateId,
  );
  assert.ok(id !== undefined);
  return id;
}

test("the block cipher of these tests is AES-128: FIPS 197 appendix C.1", () => {
  const enciphered = cipher.encryptBlock(fromHex("00112233445566778899aabbccddeeff"));
  assert.equal(toHex(enciphered), "69c4e0d86a7b0430d8cdb78070b4c55a");
});

test("account and serial stand as 8 big-endian bytes each in one enciphered block", () => {
  const sealed = sealCertificateId({ account: accountNumber(0x0102_0304_0506), serial: 0xa1b2_c3d4 }, cipher);
  assert.equal(sealed, idFrom("000001020304050600000000a1b2c3d4"));
});

test("an id opens to what it was sealed from", () => {
  fc.assert(
    fc.property(accountArbitrary, serialArbitrary, (account, serial) => {
      assert.deepEqual(openCertificateId(sealCertificateId({ account, serial }, cipher), cipher), { account, serial });
    }),
  );
});

test("ids of one account show nothing in common", () => {
  const ids = Array.from({ length: 500 }, (_, serial) =>
    sealCertificateId({ account: accountNumber(7), serial }, cipher),
  );
  assert.equal(new Set(ids).size, 500);
  // 500 draws out of 65,536: the birthday bound expects about two pairs.
  assert.ok(new Set(ids.map((id) => id.slice(0, 4))).size > 480);
});

test("an id of another key or made up is not plausible", () => {
  const sealed = sealCertificateId({ account: accountNumber(7), serial: 1 }, otherCipher);
  assert.equal(openCertificateId(sealed, cipher), undefined);
  for (const clear of [
    "00000000000000000000000000000001", // account 0
    "00010000000000000000000000000001", // account 2^48
    "00000000000000010000000100000000", // serial 2^32
    "ffffffffffffffffffffffffffffffff",
  ])
    assert.equal(openCertificateId(idFrom(clear), cipher), undefined, clear);
});

test("account numbers and serials outside their range are refused", () => {
  for (const value of [0, -1, 1.5, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => accountNumber(value), hasCode("ACCOUNT_NUMBER_RANGE"));
  assert.equal(accountNumber(2 ** 48 - 1), 2 ** 48 - 1);
  const forged = (2 ** 48) as ReturnType<typeof accountNumber>;
  assert.throws(() => sealCertificateId({ account: forged, serial: 1 }, cipher), hasCode("ACCOUNT_NUMBER_RANGE"));
  for (const serial of [-1, 1.5, 2 ** 32, Number.NaN])
    assert.throws(() => sealCertificateId({ account: accountNumber(7), serial }, cipher), hasCode("SERIAL_RANGE"));
});

test("a cipher that gives no whole block is refused", () => {
  const broken = { encryptBlock: () => new Uint8Array(32), decryptBlock: () => new Uint8Array(0) };
  const id = sealCertificateId({ account: accountNumber(7), serial: 1 }, cipher);
  assert.throws(() => openCertificateId(id, broken), hasCode("CIPHER_BLOCK_INVALID"));
  assert.throws(
    () => sealCertificateId({ account: accountNumber(7), serial: 1 }, broken),
    hasCode("CIPHER_BLOCK_INVALID"),
  );
});

// Computed by an independent program in another language. Stored keys begin with these: they can never change.
const PARTITIONS: readonly (readonly [account: number, partition: number])[] = [
  [1, 47],
  [2, 16],
  [3, 183],
  [4, 218],
  [5, 106],
  [1_000, 32],
  [123_456_789, 233],
  [2 ** 31, 47],
  [2 ** 32 - 1, 194],
  [2 ** 32, 225],
  [2 ** 32 + 1, 59],
  [2 ** 47, 254],
  [2 ** 48 - 2, 229],
  [2 ** 48 - 1, 121],
];

test("partitions never change", () => {
  for (const [account, partition] of PARTITIONS) assert.equal(partitionOf(accountNumber(account)), partition);
});

test("account numbers in a row, and in even steps, spread over all partitions", () => {
  for (const [start, step] of [
    [1, 1],
    [2 ** 32 - 5_000, 1],
    [1, 10],
    [1, 256],
    [1, 65_536],
  ] as const) {
    const counts = new Array<number>(256).fill(0);
    for (let index = 0; index < 25_600; index++) {
      const partition = partitionOf(accountNumber(start + index * step));
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    assert.equal(counts.length, 256);
    // 100 expected in each; five standard deviations either way.
    assert.ok(Math.min(...counts) >= 50 && Math.max(...counts) <= 150, `from ${start} in steps of ${step}`);
  }
});

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof IssueError && error.code === code;
}
