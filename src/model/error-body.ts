// The body of every refusal in JSON: code, sentence, and advice. The server's side of what clients read as an error.

import { adviceFor } from "./error-advice.ts";

interface Shown {
  readonly code: string;
  readonly message: string;
  /** Of this one error, in place of the advice for its code. */
  readonly action?: string;
}

export interface ErrorBody {
  /** Without `action` where the message says it all. */
  readonly error: Shown;
}

export function errorBody({ code, message, action = adviceFor(code) }: Shown): ErrorBody {
  return { error: { code, message, ...(action !== undefined && { action }) } };
}
