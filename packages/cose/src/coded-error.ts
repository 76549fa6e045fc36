/**
 * The base of every coded error of the project: malformed input and misuse. Expected business refusals are returned
 * outcomes, never errors. Catch this one class, switch on `code`; codes are stable, messages are for people.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
