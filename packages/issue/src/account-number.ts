import { IssueError } from "./issue-error.ts";
import type { AccountNumber } from "./model.ts";

/** 48 bits: far more accounts than there are people, and two zero bytes left in a certificate id's clear text to check. */
export const MAXIMUM_ACCOUNT_NUMBER = 2 ** 48 - 1;

export function isAccountNumber(value: number): value is AccountNumber {
  return Number.isInteger(value) && value >= 1 && value <= MAXIMUM_ACCOUNT_NUMBER;
}

/** @throws IssueError ACCOUNT_NUMBER_RANGE unless a whole number from 1 to 2^48-1. */
export function accountNumber(value: number): AccountNumber {
  if (!isAccountNumber(value)) throw new IssueError("ACCOUNT_NUMBER_RANGE", `${value} is not an account number.`);
  return value;
}
