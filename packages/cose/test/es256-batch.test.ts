/** Many signatures at once: the answer has to be the one that each of them gets alone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createECDH, createPrivateKey, ECDH, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import {
  requireSignatureBatches,
  signatureBatches,
  signatureBatchesMissing,
} from "../../../testing/signature-batches.ts";
import { type HintedSignature, publicKeyFromPoint } from "../src/index.ts";
import { generateNodeSigner, nodeCrypto } from "../src/node/es256.ts";
import { trustedBatchesOn } from "../src/node/es256-batch.ts";
import { type Curve, openCurve } from "../src/node/openssl-curve.ts";
import { hex } from "./bytes.ts";

const crypto = nodeCrypto();
const entry = new URL("../src/node/es256-batch.ts", import.meta.url);

type Plain = Omit<HintedSignature, "hint">;

describe("many signatures at once", { skip: signatureBatchesMissing }, async () => {
  const batches = requireSignatureBatches();
  function hinted(plain: Plain): HintedSignature {
    const hint = batches.hintFor(plain);
    assert.ok(hint !== undefined);
    return { ...plain, hint };
  }

  const signers = Array.from({ length: 3 }, () => generateNodeSigner());
  const many: readonly HintedSignature[] = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const { publicKey, sign } = signers[index % signers.length] ?? generateNodeSigner();
      const message = Uint8Array.of(index);
      return hinted({ publicKey, digest: crypto.sha256(message), signature: await sign(message) });
    }),
  );
  const [first, second] = many as [HintedSignature, HintedSignature];

  const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  const bytesOf = (number: bigint): Uint8Array => hex(number.toString(16).padStart(64, "0"));
  const ORDER = numberOf(hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"));
  const PRIME = numberOf(hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"));
  const modulo = (value: bigint): bigint => ((value % ORDER) + ORDER) % ORDER;
  /** By Fermat: the order is prime. */
  function dividedBy(value: bigint, divisor: bigint): bigint {
    let [result, power] = [modulo(value), modulo(divisor)];
    for (let exponent = ORDER - 2n; exponent > 0n; exponent >>= 1n) {
      if (exponent % 2n === 1n) result = (result * power) % ORDER;
      power = (power * power) % ORDER;
    }
    return result;
  }
  /** The y of a point with this x, if there is one. */
  function yAt(x: bigint): Uint8Array | undefined {
    const compressed = Buffer.concat([Uint8Array.of(2), bytesOf(x)]);
    try {
      const point = ECDH.convertKey(compressed, "prime256v1", undefined, undefined, "uncompressed");
      return typeof point === "string" ? undefined : point.subarray(33);
    } catch {
      return undefined;
    }
  }
  const withS = ({ signature }: Plain, s: bigint): Uint8Array => Buffer.concat([signature.subarray(0, 32), bytesOf(s)]);
  const withR = ({ signature }: Plain, r: bigint): Uint8Array => Buffer.concat([bytesOf(r), signature.subarray(32)]);

  test("valid signatures pass, alone, together and none at all", () => {
    assert.ok(batches.areAllValid([]));
    for (const each of many) assert.ok(batches.areAllValid([each]));
    assert.ok(batches.areAllValid(many));
    assert.ok(batches.areAllValid([first, first, second, first]), "the same one more than once");
  });

  const s = numberOf(first.signature.subarray(32));
  const spoiled: Readonly<Record<string, HintedSignature>> = {
    "another digest": { ...first, digest: second.digest },
    "another key": { ...first, publicKey: second.publicKey },
    "another's signature": { ...first, signature: second.signature },
    "another's hint": { ...first, hint: second.hint },
    "the opposite point": { ...first, hint: bytesOf(PRIME - numberOf(first.hint)) },
    "s of the opposite point": { ...first, signature: withS(first, ORDER - s) },
    "a hint off the curve": { ...first, hint: new Uint8Array(32) },
    "a hint above the prime": { ...first, hint: bytesOf(PRIME) },
    "a short hint": { ...first, hint: first.hint.subarray(1) },
    "a long hint": { ...first, hint: Buffer.concat([first.hint, Uint8Array.of(0)]) },
    "r of nothing": { ...first, signature: withR(first, 0n) },
    "r of the order": { ...first, signature: withR(first, ORDER) },
    "s of nothing": { ...first, signature: withS(first, 0n) },
    "s of the order": { ...first, signature: withS(first, ORDER) },
    "s above the order": {
      ...first,
      signature: withS(first, s + ORDER > 2n ** 256n - 1n ? 2n ** 256n - 1n : s + ORDER),
    },
    "a short signature": { ...first, signature: first.signature.subarray(1) },
    "a key off the curve": { ...first, publicKey: publicKeyFromPoint(hex(`02${"0".repeat(63)}1`)) },
  };

  for (const [name, bad] of Object.entries(spoiled))
    test(`one with ${name} spoils any batch, and leaves the next one alone`, () => {
      assert.equal(batches.areAllValid([bad]), false);
      assert.equal(batches.areAllValid([...many.slice(0, 20), bad, ...many.slice(20)]), false);
      assert.equal(batches.areAllValid([bad, bad]), false, "two of them do not make up for each other");
      assert.ok(batches.areAllValid(many));
    });

  test("one alone, by its digest, is valid exactly when its message is", async () => {
    const message = Uint8Array.of(0);
    assert.deepEqual(first.digest, crypto.sha256(message));
    for (const [name, each] of Object.entries({ sound: first, ...spoiled })) {
      const { publicKey, digest, signature } = each;
      const isSame = Buffer.from(digest).equals(first.digest);
      const expected = isSame && (await crypto.verifyEs256(publicKey, message, signature));
      assert.equal(batches.isValid({ publicKey, digest, signature }), expected, name);
    }
    assert.ok(batches.isValid({ ...first, signature: withS(first, ORDER - s) }), "the other valid signature");
  });

  test("errors that cancel out each other do not pass: the multipliers are random", () => {
    // Of one's own key: R is chosen, s1 as well, and s2 so that what the first lacks is what the second has too much.
    // Added up with equal multipliers, or with ones that can be known beforehand, this would be zero.
    const own = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
    const point = Buffer.from(
      `04${[own.x, own.y].map((each) => Buffer.from(each ?? "", "base64url").toString("hex")).join("")}`,
      "hex",
    );
    const publicKey = publicKeyFromPoint(point);
    const d = numberOf(Buffer.from(own.d ?? "", "base64url"));
    const parts = [3n, 5n].map((k, index) => {
      const base = createECDH("prime256v1");
      base.setPrivateKey(bytesOf(k));
      const [r, hint] = [base.getPublicKey().subarray(1, 33), base.getPublicKey().subarray(33)];
      const digest = crypto.sha256(Uint8Array.of(index));
      return { k, r, hint, digest, top: numberOf(digest) + d * numberOf(r) };
    });
    const [one, two] = parts as [(typeof parts)[0], (typeof parts)[0]];
    const s1 = 7n;
    const s2 = dividedBy(one.top + two.top - s1 * one.k, two.k);
    const cancelling = [
      { publicKey, digest: one.digest, signature: Buffer.concat([one.r, bytesOf(s1)]), hint: one.hint },
      { publicKey, digest: two.digest, signature: Buffer.concat([two.r, bytesOf(s2)]), hint: two.hint },
    ];
    const surplus = cancelling.map(({ signature }, index) => {
      const { top = 0n, k = 0n } = parts[index] ?? {};
      return top - numberOf(signature.subarray(32)) * k;
    });
    assert.equal(modulo(surplus.reduce((sum, each) => sum + each, 0n)), 0n, "it does cancel");
    assert.equal(batches.areAllValid(cancelling), false);
    const honest = cancelling.map((each, index) => {
      const { top = 0n, k = 1n } = parts[index] ?? {};
      return { ...each, signature: Buffer.concat([each.signature.subarray(0, 32), bytesOf(dividedBy(top, k))]) };
    });
    assert.ok(batches.areAllValid(honest), "with s as it has to be the same points pass");
  });

  test("an s of nothing does not pass where the owner of the key made the rest come out even", async () => {
    // r = -e/d: s R = e G + r Q is then zero on both sides. R only has to be a point, as every second x is one's.
    const own = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
    const [x, y, d] = [own.x, own.y, own.d].map((each) => Buffer.from(each ?? "", "base64url"));
    assert.ok(x !== undefined && y !== undefined && d !== undefined);
    const publicKey = publicKeyFromPoint(Buffer.concat([Uint8Array.of(4), x, y]));
    const wanted = Array.from({ length: 100 }, (_, index) => {
      const message = Uint8Array.of(index);
      const digest = crypto.sha256(message);
      return { message, digest, r: dividedBy(-numberOf(digest), numberOf(d)) };
    }).find(({ r }) => yAt(r) !== undefined);
    assert.ok(wanted !== undefined);
    const { message, digest, r } = wanted;
    const signature = Buffer.concat([bytesOf(r), bytesOf(0n)]);
    assert.equal(await crypto.verifyEs256(publicKey, message, signature), false);
    const forged = { publicKey, digest, signature, hint: yAt(r) ?? new Uint8Array(32) };
    assert.equal(batches.areAllValid([forged]), false);
    assert.equal(batches.areAllValid([...many, forged]), false);
  });

  test("an r that is a point's x from the order on does not pass: it is no remainder by the order", async () => {
    let r = ORDER;
    while (yAt(r) === undefined) r++;
    assert.ok(r < PRIME);
    // Q = (s R - e G) / r, a key for which the sum is zero.
    const [message, s] = [Uint8Array.of(1), 5n];
    const digest = crypto.sha256(message);
    const hint = yAt(r) ?? new Uint8Array(32);
    const point = Buffer.concat([Uint8Array.of(4), bytesOf(r), hint]);
    const curve = openCurve();
    const key = curve?.combine(dividedBy(-numberOf(digest), r), point, dividedBy(s, r));
    assert.ok(key !== undefined);
    const publicKey = publicKeyFromPoint(key);
    const signature = Buffer.concat([bytesOf(r), bytesOf(s)]);
    assert.equal(await crypto.verifyEs256(publicKey, message, signature), false);
    assert.equal(batches.areAllValid([{ publicKey, digest, signature, hint }]), false);
    assert.equal(batches.areAllValid([...many, { publicKey, digest, signature, hint }]), false);
    const reduced = Buffer.concat([bytesOf(r - ORDER), bytesOf(s)]);
    if (r > ORDER)
      assert.ok(await crypto.verifyEs256(publicKey, message, reduced), "as the remainder that it should be");
  });

  test("a key that is no point of the curve is no key: it is not passed over", () => {
    // R = kG and s = e/k: valid for whoever leaves the key's own part out.
    const base = createECDH("prime256v1");
    base.setPrivateKey(bytesOf(3n));
    const [r, hint] = [base.getPublicKey().subarray(1, 33), base.getPublicKey().subarray(33)];
    const digest = crypto.sha256(Uint8Array.of(1));
    const signature = Buffer.concat([r, bytesOf(dividedBy(numberOf(digest), 3n))]);
    const publicKey = publicKeyFromPoint(hex(`02${"0".repeat(63)}1`));
    assert.equal(batches.areAllValid([{ publicKey, digest, signature, hint }]), false);
    assert.equal(batches.areAllValid([...many, { publicKey, digest, signature, hint }]), false);
    assert.equal(batches.hintFor({ publicKey, digest, signature }), undefined);
  });

  test("a hint that is no point of the curve is not passed over either", () => {
    // r = -e/d: R is the point at infinity, so the rest is zero for whoever leaves R out.
    const own = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
    const [x, y, d] = [own.x, own.y, own.d].map((each) => Buffer.from(each ?? "", "base64url"));
    assert.ok(x !== undefined && y !== undefined && d !== undefined);
    const publicKey = publicKeyFromPoint(Buffer.concat([Uint8Array.of(4), x, y]));
    const digest = crypto.sha256(Uint8Array.of(1));
    const signature = Buffer.concat([bytesOf(dividedBy(-numberOf(digest), numberOf(d))), bytesOf(5n)]);
    const bad = { publicKey, digest, signature, hint: new Uint8Array(32).fill(0xff) };
    assert.equal(batches.areAllValid([bad]), false);
    assert.equal(batches.areAllValid([bad, ...many]), false);
    assert.equal(batches.hintFor(bad), undefined, "infinity has no coordinates");
  });

  test("arithmetic that takes bad for good, or good for bad, is not used", () => {
    const curve = openCurve();
    assert.ok(curve !== undefined);
    assert.ok(trustedBatchesOn(curve) !== undefined);
    const remembered = new Map<string, Uint8Array | undefined>();
    const firstOf = (point: Uint8Array, work: () => Uint8Array | undefined): Uint8Array | undefined => {
      const name = point.toString();
      if (!remembered.has(name)) remembered.set(name, work());
      return remembered.get(name);
    };
    const broken: readonly Partial<Curve>[] = [
      { isZero: (scalar) => curve.isZero(scalar) || true },
      { isZero: (scalar) => curve.isZero(scalar) && false },
      { combine: () => undefined },
      { combine: (_generator, point) => point },
      { add: () => false },
      // Whatever is signed by a key is what it signed first.
      { combine: (generator, point, scalar) => firstOf(point, () => curve.combine(generator, point, scalar)) },
    ];
    for (const part of broken) assert.equal(trustedBatchesOn({ ...curve, ...part }), undefined);
  });

  test("what is no point of the curve is none by itself, and nothing of it is left in the next sum", () => {
    const curve = openCurve();
    assert.ok(curve !== undefined);
    const base = createECDH("prime256v1");
    base.setPrivateKey(bytesOf(1n));
    const generator = new Uint8Array(base.getPublicKey());
    const isSound = (): boolean => curve.add(generator, 2n) && curve.add(generator, 3n) && curve.isZero(ORDER - 5n);
    assert.ok(isSound());
    const offTheCurve = generator.with(64, (generator[64] ?? 0) ^ 1);
    for (const none of [hex(`02${"0".repeat(63)}1`), offTheCurve, generator.subarray(1), new Uint8Array()]) {
      assert.equal(curve.pointOf(none), undefined);
      assert.ok(isSound());
      assert.equal(curve.combine(1n, none, 1n), undefined);
      assert.ok(isSound());
      assert.equal(curve.add(none, 1n), false);
      assert.ok(isSound());
    }
    assert.deepEqual(
      curve.pointOf(Uint8Array.of(2 + ((generator[64] ?? 0) & 1), ...generator.subarray(1, 33))),
      generator,
    );
    assert.equal(curve.combine(ORDER - 1n, generator, 1n), undefined, "infinity has no coordinates");
  });

  test("what OpenSSL could not do is never taken for done", () => {
    const ffi = process.getBuiltinModule("node:ffi");
    /** A curve on an OpenSSL some of whose functions answer as given. */
    const curveWhere = (answers: Readonly<Record<string, () => unknown>>): Curve | undefined => {
      const dlopen = (path: string | null, definitions: Parameters<typeof ffi.dlopen>[1]) => ({
        functions: { ...ffi.dlopen(path, definitions).functions, ...answers },
      });
      const { getBuiltinModule } = process;
      Object.assign(process, { getBuiltinModule: () => ({ dlopen }) });
      try {
        return openCurve();
      } finally {
        Object.assign(process, { getBuiltinModule });
      }
    };
    const base = createECDH("prime256v1");
    base.setPrivateKey(bytesOf(1n));
    const generator = new Uint8Array(base.getPublicKey());
    for (const name of ["EC_GROUP_new_by_curve_name", "BN_CTX_new", "EC_POINT_new", "BN_new"])
      assert.equal(curveWhere({ [name]: () => 0n }), undefined, name);
    // The sum before was the point at infinity: whoever went on with it would take any batch for valid.
    const unable = curveWhere({ EC_POINTs_mul: () => 0, EC_POINT_is_at_infinity: () => 1 });
    assert.ok(unable !== undefined);
    assert.ok(unable.add(generator, 2n));
    assert.throws(() => unable.isZero(1n), /could not add/);
    assert.throws(() => unable.combine(1n, generator, 1n), /could not add/);
    const cutShort = curveWhere({ EC_POINT_point2oct: () => 33n });
    assert.equal(cutShort?.pointOf(generator), undefined);
    const wordless = curveWhere({ BN_lebin2bn: () => 0n });
    assert.throws(() => wordless?.add(generator, 1n), /memory/);
    assert.deepEqual(curveWhere({})?.pointOf(generator), generator, "with all its functions it is able");
  });

  test("whoever fails next on this thread is told of his own failure", () => {
    const curve = openCurve();
    const reason = (): string => {
      try {
        createPrivateKey("no key");
        return "none";
      } catch (error) {
        return String(error);
      }
    };
    // The first one takes along what others may have left.
    reason();
    const own = reason();
    assert.equal(curve?.pointOf(hex(`02${"0".repeat(63)}1`)), undefined);
    assert.equal(reason(), own);
  });

  test("a batch is valid exactly when each signature of it is, whatever was changed", () => {
    const changes = fc.record({
      at: fc.nat(many.length - 1),
      part: fc.constantFrom("digest" as const, "signature" as const, "hint" as const),
      byte: fc.nat(31),
      bit: fc.nat(7),
    });
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 2 }), (list) => {
        const changed = many.map((each) => ({ ...each }));
        for (const { at, part, byte, bit } of list) {
          const target = changed[at] as { -readonly [Name in keyof HintedSignature]: HintedSignature[Name] };
          const old = target[part];
          target[part] = Uint8Array.from(old, (value, index) => (index === byte ? value ^ (1 << bit) : value));
        }
        const isUnchanged = changed.every((each, index) =>
          (["digest", "signature", "hint"] as const).every(
            (part) => Buffer.compare(each[part], many[index]?.[part] ?? each[part]) === 0,
          ),
        );
        assert.equal(batches.areAllValid(changed), isUnchanged);
      }),
      { numRuns: 60 },
    );
  });

  test("Project Wycheproof: a hint exists for the valid ones alone, and with it they pass", () => {
    const published: { testGroups: { publicKey: string; tests: { msg: string; sig: string; result: string }[] }[] } =
      JSON.parse(readFileSync(new URL("vectors/ecdsa-p256-sha256-p1363.json", import.meta.url), "utf8"));
    const valid: HintedSignature[] = [];
    let beyond = 0;
    for (const { publicKey, tests } of published.testGroups)
      for (const { msg, sig, result } of tests) {
        const plain = {
          publicKey: publicKeyFromPoint(hex(publicKey)),
          digest: crypto.sha256(hex(msg)),
          signature: hex(sig),
        };
        const hint = batches.hintFor(plain);
        if (result === "invalid") assert.equal(hint, undefined);
        else if (hint === undefined) beyond += 1;
        else valid.push({ ...plain, hint });
      }
    // R's x coordinate at or above the order: made on purpose, met by nobody else.
    assert.ok(beyond <= 2, `${beyond} valid signatures without a hint`);
    assert.ok(valid.length > 150);
    assert.ok(batches.areAllValid(valid));
  });

  test("each thread has its own", async () => {
    const source = `import { openSignatureBatches } from ${JSON.stringify(entry.href)};
    import { parentPort } from "node:worker_threads";
    parentPort.postMessage(openSignatureBatches() !== undefined);`;
    const ask = () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
        worker.once("message", resolve).once("error", reject);
      });
    assert.deepEqual(await Promise.all([ask(), ask()]), [true, true]);
  });
});

test("whoever is warned of other things still is", () => {
  const { emitWarning } = process;
  openCurve();
  assert.equal(process.emitWarning, emitWarning);
});

test("where foreign-function calls are off there is none, and nobody is warned of anything", () => {
  const source = `import { openSignatureBatches } from ${JSON.stringify(entry.href)}; console.log(openSignatureBatches() !== undefined);`;
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, "--input-type=module", "--eval", source], {
      encoding: "utf8",
      // What else a caller of the tests lets Node.js load may lie where the child may not read.
      env: { ...process.env, NODE_OPTIONS: "" },
    });
  const here = ["--permission", `--allow-fs-read=${fileURLToPath(new URL("../../..", import.meta.url))}*`];
  for (const [flags, expected] of [
    [[], `${signatureBatches !== undefined}\n`],
    [["--no-experimental-ffi"], "false\n"],
    [here, "false\n"],
  ] as const) {
    const { stdout, stderr } = run(...flags);
    assert.deepEqual({ stdout, stderr }, { stdout: expected, stderr: "" });
  }
});
