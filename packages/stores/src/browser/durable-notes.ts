import { type DBSchema, openDB } from "idb";
import { STRICT } from "./transaction.ts";

interface NotesSchema extends DBSchema {
  notes: { key: string; value: string };
}

/** A few short texts: what an app was doing, so that it comes back to it. */
export type DurableNotes = {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
  removeItem(name: string): void;
  /** Resolves when everything set before is on the disk. @throws what the browser throws when it cannot write. */
  flushed(): Promise<void>;
};

/**
 * Read at once, like Web Storage, and as durable as the stores: browsers write Web Storage to the disk seconds later, so
 * that a device that goes dark comes back without it.
 */
export async function openDurableNotes(name: string): Promise<DurableNotes> {
  const database = await openDB<NotesSchema>(name, 1, { upgrade: (made) => void made.createObjectStore("notes") });
  const held = new Map<string, string>();
  for (const key of await database.getAllKeys("notes")) held.set(key, (await database.get("notes", key)) ?? "");
  let writing: Promise<unknown> = Promise.resolve();

  function write(key: string, text: string | undefined): void {
    const transaction = database.transaction("notes", "readwrite", STRICT);
    const written = text === undefined ? transaction.store.delete(key) : transaction.store.put(text, key);
    const both = Promise.all([written, transaction.done]);
    // Met by whoever asks for it to be flushed.
    both.catch(() => undefined);
    writing = Promise.all([writing, both]);
    writing.catch(() => undefined);
  }

  return {
    getItem: (key) => held.get(key) ?? null,
    setItem(key, text) {
      held.set(key, text);
      write(key, text);
    },
    removeItem(key) {
      held.delete(key);
      write(key, undefined);
    },
    async flushed() {
      await writing;
    },
  };
}
