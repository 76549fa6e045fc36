import fc from "fast-check";

/** Loaded before a test file (`node --import`): a property ends with the first case that fails. */
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
