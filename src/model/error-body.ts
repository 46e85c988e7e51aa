// The body of every refusal in JSON: code, sentence, and advice. The server's side of what clients read as an error.

import { adviceFor } from "./error-advice.ts";

interface Shown {
  readonly code: string;
  readonly message: string;
  /** Advice for this one error, instead of the advice for its code. */
  readonly action?: string;
}

export interface ErrorBody {
  /** Without `action` if the message is sufficient. */
  readonly error: Shown;
}

export function errorBody({ code, message, action = adviceFor(code) }: Shown): ErrorBody {
  return { error: { code, message, ...(action !== undefined && { action }) } };
}
