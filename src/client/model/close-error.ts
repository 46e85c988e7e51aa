// Translates the close of a connection or stream into the error that the application sees.

import { CLOSE, HubError } from "../../model/errors.ts";
import type { ClientErrorCode } from "./client-errors.ts";

/**
 * The error's code is the name of the close code in `CLOSE` (model/errors.ts), or `disconnected` for any other code.
 * Browsers report 1006 for every failure without a close frame, refused HTTP handshakes included.
 */
export function closeError({ code, reason }: { readonly code: number; readonly reason: string }) {
  const name = Object.entries(CLOSE).find(([, close]) => close === code)?.[0];
  return new HubError<string>(name ?? "disconnected", `Closed with ${code}. ${reason}`.trim());
}

/** The error of requests that a closed connection cannot fulfil. `cause`: why it closed, if not by the application. */
export const closedError = (cause?: HubError): HubError =>
  new HubError<ClientErrorCode>("closed", "The connection is closed.", { cause });
