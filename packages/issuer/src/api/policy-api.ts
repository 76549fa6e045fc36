import { Type } from "@sinclair/typebox";
import { Certificate } from "./operator-api.ts";
import {
  AccountText,
  CertificateIdText,
  CurrencyText,
  type Decoded,
  DeviceIdText,
  Minor,
  OrNull,
  Seconds,
  Sentence,
  SignedMinor,
  Time,
} from "./wire.ts";

/** The operator's calls about the issuing policy and what it leads to. */

const strict = { additionalProperties: false } as const;
const Level = Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2), Type.Literal(3)]);
const Named = {
  version: Type.String({ description: "The operator's own name for it." }),
  fingerprint: Type.String({ pattern: "^[0-9a-f]{12}$", description: "Of the whole policy, defaults included." }),
};
const Fault = Type.Object({ code: Type.String(), path: Type.String(), sentence: Sentence });

export const Policy = Type.Object({
  ...Named,
  /** As in a policy file, every default written out. */
  policy: Type.Unknown(),
  /** Each time that it came into force. */
  inForceFrom: Type.Array(Time),
});
export type Policy = Decoded<typeof Policy>;

export const PolicyInForce = Type.Object({
  ...Policy.properties,
  /** The file that is followed; null for a policy that was given when the server was started. */
  file: OrNull(Type.String()),
  /** Why the file as it is now is not in force; null when it is. */
  refused: OrNull(Type.Object({ at: Time, code: Type.String(), sentence: Sentence, faults: Type.Array(Fault) })),
});
export type PolicyInForce = Decoded<typeof PolicyInForce>;

export const ExplanationQuestion = Type.Object(
  {
    deviceId: Type.Optional(DeviceIdText),
    protection: Type.Optional(Level),
    ahead: Type.Optional(Type.Boolean()),
    /** Another policy than the one in force. */
    policy: Type.Optional(Type.Unknown()),
  },
  strict,
);
export const Explanation = Type.Object({
  ...Named,
  account: AccountText,
  currency: CurrencyText,
  open: Type.Array(
    Type.Object({
      certificateId: CertificateIdText,
      deviceId: DeviceIdText,
      state: Type.String(),
      limitMinor: Minor,
      settledMinor: Minor,
      exposureMinor: Minor,
      heldMinor: Minor,
      expiresAt: Time,
    }),
  ),
  devices: Type.Array(
    Type.Object({
      deviceId: DeviceIdText,
      protection: Level,
      decision: Type.Union([Type.Literal("issue"), Type.Literal("refuse"), Type.Literal("none")]),
      conditions: Type.Array(
        Type.Object({ code: Type.String(), sentence: Sentence, enabled: Type.Boolean(), met: Type.Boolean() }),
      ),
      refusals: Type.Array(Type.Object({ code: Type.String(), sentence: Sentence })),
      lines: Type.Array(Type.Object({ label: Type.String(), minor: SignedMinor, note: Type.String() })),
      limitMinor: Minor,
      perPaymentCapMinor: Minor,
      heldMinor: Minor,
      validitySeconds: Seconds,
    }),
  ),
});
export type Explanation = Decoded<typeof Explanation>;

export const CertificateLife = Type.Object({
  certificate: Certificate,
  currency: CurrencyText,
  state: Type.String(),
  exposureMinor: Minor,
  heldMinor: Minor,
  events: Type.Array(Type.Object({ at: Time, event: Type.String(), sentence: Sentence })),
});
export type CertificateLife = Decoded<typeof CertificateLife>;
