import type { IssuerOptions } from "../../options.ts";

/** The operator's own systems, named by address; their tokens come from the environment, where no list of processes shows them. */
export async function openSources(options: {
  readonly creditSource?: string;
  readonly accountSource?: string;
}): Promise<Pick<IssuerOptions, "creditSource" | "accountSource">> {
  const { creditSource, accountSource } = options;
  if (creditSource === undefined && accountSource === undefined) return {};
  const { HttpAccountSource, HttpCreditSource } = await import("../../sources/http-sources.ts");
  const { CAIRN_CREDIT_SOURCE_TOKEN, CAIRN_ACCOUNT_SOURCE_TOKEN } = process.env;
  return {
    ...(creditSource === undefined
      ? {}
      : { creditSource: new HttpCreditSource({ url: creditSource, token: CAIRN_CREDIT_SOURCE_TOKEN }) }),
    ...(accountSource === undefined
      ? {}
      : { accountSource: new HttpAccountSource({ url: accountSource, token: CAIRN_ACCOUNT_SOURCE_TOKEN }) }),
  };
}
