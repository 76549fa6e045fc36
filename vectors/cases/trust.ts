import { decodeSign1, finishSign1, prepareSign1 } from "@cairn/cose";
import { keyIdOf } from "@cairn/messages";
import { type Case, hex, type JsonObject } from "../case.ts";
import { offCurveKey, testKey } from "../keys.ts";
import * as world from "../world.ts";
import { crypto, DAY, NOW, rootKeyBytes, trustedKey } from "../world.ts";

/** Which lists are taken, and which issuer keys are believed. */
type Cases = { readonly valid: readonly Case[]; readonly invalid: readonly Case[] };
type Signed = { readonly bytes: Uint8Array };

const TAKEN = { taken: true };

export async function lists(): Promise<Cases> {
  const { signTrustList, signStatusList } = world;
  const held = await signTrustList();
  const trust = (
    name: string,
    description: string,
    offered: Signed,
    options: { held?: Signed; now?: number } = {},
  ) => ({
    name: `lists/trust-${name}`,
    description,
    step: "lists" as const,
    input: {
      list: "trust-list",
      rootKey: hex(rootKeyBytes),
      offered: hex(offered.bytes),
      held: options.held === undefined ? null : hex(options.held.bytes),
      now: options.now ?? NOW,
    },
  });
  const status = (
    name: string,
    description: string,
    offered: Signed,
    options: { held?: Signed; now?: number } = {},
  ) => ({
    name: `lists/status-${name}`,
    description,
    step: "lists" as const,
    input: {
      list: "status-list",
      trustList: hex(held.bytes),
      offered: hex(offered.bytes),
      held: options.held === undefined ? null : hex(options.held.bytes),
      now: options.now ?? NOW,
    },
  });
  const otherRoot = testKey("other-root");
  const { expiresAt } = held.content;
  const heldStatus = await signStatusList();
  const list = heldStatus.content;
  const takes = (about: Omit<Case, "expect">): Case => ({ ...about, expect: { fields: TAKEN } });
  const refuses = (about: Omit<Case, "expect">, code: string): Case => ({ ...about, expect: { code } });
  return {
    valid: [
      takes(trust("first", "The first list of a new device.", held)),
      takes(trust("same", "The list that is held already.", held, { held })),
      takes(trust("newer", "A list of a higher version.", await signTrustList({ version: 8 }), { held })),
      takes(trust("within-skew", "Expired for less than the clocks may differ.", held, { now: expiresAt + 300 })),
      takes(status("first", "The first list of a new device.", heldStatus)),
      takes(status("same", "The list that is held already.", heldStatus, { held: heldStatus })),
      takes(
        status("newer", "A later list.", await signStatusList({ issuedAt: list.issuedAt + 1 }), { held: heldStatus }),
      ),
      takes(status("last-second", "At the second of its expiry.", heldStatus, { now: list.expiresAt })),
    ],
    invalid: [
      refuses(
        trust("older", "A lower version than the one held.", await signTrustList({ version: 6 }), { held }),
        "TRUST_LIST_ROLLBACK",
      ),
      refuses(
        trust("same-version", "Another list of the version held.", await signTrustList({ keys: [] }), { held }),
        "TRUST_LIST_ROLLBACK",
      ),
      refuses(
        trust("expired", "Expired for longer than the clocks may differ.", held, { now: expiresAt + 301 }),
        "TRUST_LIST_EXPIRED",
      ),
      refuses(
        trust(
          "other-root",
          "Signed by another root key, and saying so.",
          await signTrustList({ rootKeyId: keyIdOf(otherRoot.publicKey, crypto) }, otherRoot),
        ),
        "ISSUER_UNKNOWN",
      ),
      refuses(
        trust("forged", "Signed by another key in the root key's name.", await signTrustList({}, otherRoot)),
        "SIGNATURE_INVALID",
      ),
      refuses(
        status("older", "An earlier list than the one held.", await signStatusList({ issuedAt: list.issuedAt - 1 }), {
          held: heldStatus,
        }),
        "STATUS_LIST_ROLLBACK",
      ),
      refuses(
        status("expired", "A second after its expiry.", heldStatus, { now: list.expiresAt + 1 }),
        "STATUS_LIST_STALE",
      ),
      refuses(
        status(
          "forged",
          "Signed by another key in the issuer's name.",
          await signStatusList({}, testKey("other-issuer")),
        ),
        "SIGNATURE_INVALID",
      ),
    ],
  };
}

export async function verifying(): Promise<Cases> {
  const { signUser, signPayee, signStatusList, signTrustList } = world;
  const usual = await signTrustList();
  const case_ = (
    name: string,
    description: string,
    input: { readonly kind: string; readonly message: Signed; readonly trustList?: Signed },
    expect: Case["expect"],
  ): Case => ({
    name: `verify/${name}`,
    description,
    step: "verify",
    input: {
      kind: input.kind,
      bytes: hex(input.message.bytes),
      trustList: hex((input.trustList ?? usual).bytes),
    },
    expect,
  });
  const good = { fields: { genuine: true } } satisfies { fields: JsonObject };
  const user = await signUser();
  const payee = await signPayee();
  const status = await signStatusList();
  const limited = async (changes: Parameters<typeof trustedKey>[1]): Promise<Signed> =>
    signTrustList({ keys: [trustedKey("issuer", changes)] });
  const kind = "user-certificate";
  const { issuedAt } = user.content;
  const otherIssuer = testKey("other-issuer");
  const offCurve = await signUser({ deviceKey: offCurveKey() });
  return {
    valid: [
      case_("user-certificate", "Signed by a trusted key.", { kind, message: user }, good),
      case_("payee-certificate", "Signed by a trusted key.", { kind: "payee-certificate", message: payee }, good),
      case_("status-list", "Signed by a trusted key.", { kind: "status-list", message: status }, good),
      case_(
        "one-use",
        "A key for user certificates alone.",
        { kind, message: user, trustList: await limited({ uses: 1 }) },
        good,
      ),
      case_(
        "first-second",
        "Issued when the key became valid.",
        { kind, message: user, trustList: await limited({ validFrom: issuedAt }) },
        good,
      ),
      case_(
        "last-second",
        "Issued when the key ceased to be valid.",
        { kind, message: user, trustList: await limited({ validUntil: issuedAt }) },
        good,
      ),
      case_(
        "two-rows",
        "The key stands in two rows, of which one is valid.",
        {
          kind,
          message: user,
          trustList: await signTrustList({
            keys: [trustedKey("issuer", { validUntil: NOW - 50 * DAY }), trustedKey("issuer")],
          }),
        },
        good,
      ),
      case_(
        "device-key-off-curve",
        "The issuer's signature holds, whatever key it certifies.",
        { kind, message: offCurve },
        good,
      ),
    ],
    invalid: [
      case_(
        "issuer-unknown",
        "A key that is not in the list.",
        {
          kind,
          message: await signUser({ issuerKeyId: keyIdOf(otherIssuer.publicKey, crypto) }, otherIssuer),
        },
        { code: "ISSUER_UNKNOWN" },
      ),
      case_(
        "list-empty",
        "Nobody is trusted.",
        { kind, message: user, trustList: await signTrustList({ keys: [] }) },
        { code: "ISSUER_UNKNOWN" },
      ),
      case_(
        "user-by-payee-key",
        "A key for payee certificates signed a user certificate.",
        {
          kind,
          message: user,
          trustList: await limited({ uses: 2 }),
        },
        { code: "ISSUER_KEY_NOT_ALLOWED" },
      ),
      case_(
        "payee-by-user-key",
        "A key for user certificates signed a payee certificate.",
        {
          kind: "payee-certificate",
          message: payee,
          trustList: await limited({ uses: 5 }),
        },
        { code: "ISSUER_KEY_NOT_ALLOWED" },
      ),
      case_(
        "status-by-certificate-key",
        "A key for certificates signed a status list.",
        {
          kind: "status-list",
          message: status,
          trustList: await limited({ uses: 3 }),
        },
        { code: "ISSUER_KEY_NOT_ALLOWED" },
      ),
      case_(
        "before-key",
        "Issued a second before the key became valid.",
        {
          kind,
          message: user,
          trustList: await limited({ validFrom: issuedAt + 1 }),
        },
        { code: "ISSUER_KEY_NOT_VALID" },
      ),
      case_(
        "after-key",
        "Issued a second after the key ceased to be valid.",
        {
          kind,
          message: user,
          trustList: await limited({ validUntil: issuedAt - 1 }),
        },
        { code: "ISSUER_KEY_NOT_VALID" },
      ),
      case_(
        "forged",
        "Signed by another key in the issuer's name.",
        { kind, message: await signUser({}, otherIssuer) },
        { code: "SIGNATURE_INVALID" },
      ),
      case_(
        "altered",
        "A bit of the limit was changed.",
        { kind, message: altered(user) },
        { code: "SIGNATURE_INVALID" },
      ),
      case_(
        "signature-zero",
        "A signature of zeros.",
        { kind, message: { bytes: Uint8Array.from([...user.bytes.subarray(0, -64), ...new Uint8Array(64)]) } },
        { code: "SIGNATURE_INVALID" },
      ),
      case_(
        "other-context",
        "The issuer signed the same bytes in another context, so as another message.",
        {
          kind,
          message: await signWithoutContext(),
        },
        { code: "SIGNATURE_INVALID" },
      ),
    ],
  };
}

/** The limit's last byte, found by its value 20,000 = 0x4e20. */
function altered({ bytes }: Signed): Signed {
  const at = Buffer.from(bytes).indexOf(Buffer.from("194e20", "hex")) + 2;
  return { bytes: bytes.with(at, 0x21) };
}

async function signWithoutContext(): Promise<Signed> {
  const { headers, payload } = decodeSign1(world.certificate.bytes, { context: "" });
  const prepared = prepareSign1({ headers, payload, form: { context: "" } });
  return { bytes: finishSign1(prepared, await world.issuer.sign(prepared.toBeSigned)) };
}
