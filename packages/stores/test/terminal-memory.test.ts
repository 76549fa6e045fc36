import { MemoryTerminalJournal } from "@cairn/stores";
import { testTerminalJournal } from "./terminal-journal.suite.ts";

testTerminalJournal("memory", async () => new MemoryTerminalJournal());
