// Error codes that only clients use. Servers never answer with them, so that they are not in the table of errors.

import type { CLOSE, ErrorCode } from "../../model/errors.ts";

/**
 * A closed connection's error has the name of its close code (`CLOSE`), or `disconnected` if the code has no name.
 * `no_token`: the application gave no token. `queue_full`: too many calls wait for a connection. `closed`: the
 * application closed the connection. `unreachable`: the endpoint did not answer. `unsupported`: the platform lacks
 * what the client needs; the message names the remedy.
 */
export type ClientErrorCode =
  | ErrorCode
  | keyof typeof CLOSE
  | "no_token"
  | "queue_full"
  | "closed"
  | "disconnected"
  | "unreachable"
  | "unsupported";
