// The states of a connection, as the application sees them.

import type { HubError } from "../../model/errors.ts";

/**
 * The status of a connection:
 *
 * - `connecting`: never connected so far. `error` and `retryAt` are present once an attempt has failed.
 * - `connected`: the server has greeted the connection, and calls go out at once.
 * - `reconnecting`: it was connected before; the next attempt starts at `retryAt`.
 * - `closed`: final. Without `error` the application closed it; with `error` no further attempt was allowed.
 *
 * `error` is the reason why the last attempt or connection ended; `retryAt` is in milliseconds since 1970.
 */
export type State =
  | { readonly status: "connecting"; readonly error?: HubError; readonly retryAt?: number }
  | { readonly status: "connected"; readonly connectionId: string; readonly userId: string }
  | { readonly status: "reconnecting"; readonly error: HubError; readonly retryAt: number }
  | { readonly status: "closed"; readonly error?: HubError };
