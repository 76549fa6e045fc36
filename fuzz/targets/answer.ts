import { PROBLEM_TYPE, PROBLEMS } from "../../packages/issuer/src/http/problems.ts";
import { mustHold } from "../target.ts";

/** Every failure is a problem document with a known code, and none is the server's own fault. */
export async function checkAnswer(response: Response): Promise<void> {
  const text = await response.text();
  const { status } = response;
  mustHold(status < 500, `The server answers ${status}: ${text}`);
  if (status < 400) return;
  mustHold(response.headers.get("content-type")?.startsWith(PROBLEM_TYPE) === true, `No problem document: ${text}`);
  checkProblem(status, text);
}

export function checkProblem(status: number, text: string): void {
  const { code, status: said }: { readonly code?: unknown; readonly status?: unknown } = JSON.parse(text);
  const known = Object.entries(PROBLEMS).find(([name]) => name === code)?.[1];
  mustHold(known?.status === status && said === status, `An unknown problem: ${text}`);
}
