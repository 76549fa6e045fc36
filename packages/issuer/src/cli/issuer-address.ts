import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { notEnrolled } from "./device-folder.ts";

/** The issuer's address as the person typed it at enrolment, kept in the device's folder. */
const ADDRESS_FILE = "issuer-address";

export async function keepIssuerAddress(folder: string, url: string): Promise<void> {
  await writeFile(join(folder, ADDRESS_FILE), `${url}\n`, { flush: true });
}

/** @throws CommandError NOT_ENROLLED when the folder has none. */
export async function issuerAddress(folder: string, kind: "wallet" | "terminal"): Promise<string> {
  try {
    return (await readFile(join(folder, ADDRESS_FILE), "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw notEnrolled(folder, kind);
    throw error;
  }
}
