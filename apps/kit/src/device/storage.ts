/** How safe this browser keeps what the app writes. */
export type StorageCare =
  /** Kept until a person deletes it. */
  | "kept"
  /** The browser may delete it when the device is full. */
  | "may-be-deleted"
  /** Gone when the window is closed: a private window that shows itself as one. Decision 0088. */
  | "private";

/** Of browsers that show it, private windows are given little room: less than any device that is worth using offers otherwise. */
const PRIVATE_QUOTA_BYTES = 160 * 1024 * 1024;

/** Asks the browser to keep the app's data for good, and says what it answered. */
export async function askToKeepStorage(): Promise<StorageCare> {
  const storage: StorageManager | undefined = navigator.storage;
  if (storage === undefined) return "may-be-deleted";
  const isKept = (await storage.persisted?.()) === true || (await storage.persist?.()) === true;
  if (isKept) return "kept";
  const { quota } = await storage.estimate();
  return quota !== undefined && quota < PRIVATE_QUOTA_BYTES ? "private" : "may-be-deleted";
}
