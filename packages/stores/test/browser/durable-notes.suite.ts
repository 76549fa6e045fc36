import assert from "node:assert/strict";
import { test } from "node:test";
import { openDurableNotes } from "@cairn/stores/browser";

export function testDurableNotes(fresh: () => string): void {
  test("notes: are there at once, and there again when they are opened anew", async () => {
    const name = fresh();
    const notes = await openDurableNotes(name);
    notes.setItem("a", "1");
    notes.setItem("b", "2");
    notes.setItem("a", "3");
    notes.removeItem("b");
    assert.equal(notes.getItem("a"), "3");
    assert.equal(notes.getItem("b"), null);
    await notes.flushed();
    const again = await openDurableNotes(name);
    assert.equal(again.getItem("a"), "3");
    assert.equal(again.getItem("b"), null);
  });
}
