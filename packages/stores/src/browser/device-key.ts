import { type DBSchema, openDB } from "idb";

/** WebCrypto's pair. The private key is non-extractable: pages can sign with it, nobody can read it out. */
export type DeviceKeyPair = { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };

interface KeySchema extends DBSchema {
  keys: { key: "device"; value: DeviceKeyPair };
}

/**
 * The device's key pair: the stored one, or one made by `generate` and durable before it is answered. Kept in a
 * database of its own, so that the wallet's records never lie beside a key. Two tabs at the same time get the same.
 * A key that IndexedDB has lost is gone for good: the device must enrol anew.
 */
export async function deviceKeyPair(name: string, generate: () => Promise<DeviceKeyPair>): Promise<DeviceKeyPair> {
  const database = await openDB<KeySchema>(name, 1, { upgrade: (upgraded) => void upgraded.createObjectStore("keys") });
  try {
    const known = await database.get("keys", "device");
    if (known !== undefined) return known;
    // Made before the transaction: it would end while the key is being generated.
    const made = await generate();
    const transaction = database.transaction("keys", "readwrite", { durability: "strict" });
    const faster = await transaction.store.get("device");
    if (faster === undefined) await transaction.store.add(made, "device");
    await transaction.done;
    return faster ?? made;
  } finally {
    database.close();
  }
}
