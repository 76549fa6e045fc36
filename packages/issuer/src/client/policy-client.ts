import type { CertificateId } from "@cairn/messages";
import { listOf } from "../api/operator-api.ts";
import * as api from "../api/policy-api.ts";
import type { Encoded } from "../api/wire.ts";
import type { OperatorClientOptions } from "./operator-client.ts";
import { Transport } from "./transport.ts";

/** The issuing policy, what it would lead to, and what it led to. All methods throw `ClientError`. */
export class PolicyClient {
  readonly #transport: Transport;

  constructor(options: OperatorClientOptions) {
    this.#transport = new Transport(options);
  }

  inForce(): Promise<api.PolicyInForce> {
    return this.#transport.json({ method: "GET", path: "/v1/operator/policy" }, api.PolicyInForce);
  }

  /** All that were ever in force, the present one last. */
  async all(): Promise<readonly api.Policy[]> {
    return (await this.#transport.json({ method: "GET", path: "/v1/operator/policies" }, listOf(api.Policy))).items;
  }

  /** A dry run: nothing is issued. */
  explain(account: number, question: Encoded<typeof api.ExplanationQuestion>): Promise<api.Explanation> {
    const bytes = new TextEncoder().encode(JSON.stringify(question));
    return this.#transport.json(
      {
        method: "POST",
        path: `/v1/operator/accounts/${account}/explanation`,
        body: { type: "application/json", bytes },
      },
      api.Explanation,
    );
  }

  /** A certificate with everything that happened to it. */
  certificate(certificateId: CertificateId): Promise<api.CertificateLife> {
    return this.#transport.json(
      { method: "GET", path: `/v1/operator/certificates/${certificateId}` },
      api.CertificateLife,
    );
  }
}
