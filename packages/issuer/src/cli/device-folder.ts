import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Signer } from "@cairn/cose";
import { generateNodeSigner, signerFromPkcs8 } from "@cairn/cose/node";
import { CommandError } from "./outcome.ts";

/**
 * The folder of one wallet or terminal: its private key and its database. Who copies it has cloned the device; on a
 * phone the key sits in secure hardware instead, which is what the key-protection level of a certificate tells.
 */
export type DeviceFolder = { readonly path: string; readonly signer: Signer };

const KEY_FILE = "device-key.pkcs8";

/**
 * Opens the folder for an enrolment, and makes it with a new key when it is not there yet. The key is durable before
 * anything uses it. A key whose store is gone gets a successor: its counters are lost with the store, and a device
 * that began to count anew would look like a clone of itself.
 */
export async function openOrCreateDeviceFolder(path: string, store: DeviceStore): Promise<DeviceFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const key = await readKey(path);
  if (key !== undefined && existsSync(join(path, store.file))) return { path, signer: signerFromPkcs8(key) };
  // The store comes first: whoever finds a key without one knows that a store was lost.
  await store.create(join(path, store.file));
  const signer = generateNodeSigner();
  await writeDurably(join(path, KEY_FILE), signer.privateKeyPkcs8);
  return { path, signer };
}

/** The database of a device: its file's name, and how an empty one is made. */
export type DeviceStore = { readonly file: string; readonly create: (path: string) => Promise<void> };

/** @throws CommandError NOT_ENROLLED when there is no such device. */
export async function openDeviceFolder(path: string, kind: "wallet" | "terminal"): Promise<DeviceFolder> {
  const key = await readKey(path);
  if (key !== undefined) return { path, signer: signerFromPkcs8(key) };
  throw notEnrolled(path, kind);
}

export function notEnrolled(path: string, kind: "wallet" | "terminal"): CommandError {
  return new CommandError({
    code: "NOT_ENROLLED",
    sentence: `There is no enrolled ${kind} in ${path}.`,
    next: `Ask the issuer for a one-time code, then run: cairn ${kind} enrol --data ${path} --issuer URL --code CODE`,
  });
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(join(path, KEY_FILE));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** A crash leaves either no key file or a whole one: a half-written key would lose the device. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
