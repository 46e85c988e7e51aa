// The body of every refusal in JSON: code, sentence, and advice. The server's side of what clients read as an error.

import { adviceFor } from "./error-advice.ts";

interface Shown {
  readonly code: string;
  readonly message: string;
}

export interface ErrorBody {
  readonly error: Shown & {
    /** What to do about it. Absent where the message says it all. */
    readonly action?: string;
  };
}

export function errorBody({ code, message }: Shown): ErrorBody {
  const action = adviceFor(code);
  return { error: { code, message, ...(action !== undefined && { action }) } };
}
