// What the close of a connection is to the application.

import { CLOSE, HubError } from "../../model/errors.ts";

/** The code is the close's name in model/errors.ts; browsers say 1006 for all that has none, HTTP refusals included. */
export function closeError({ code, reason }: { readonly code: number; readonly reason: string }) {
  const name = Object.entries(CLOSE).find(([, close]) => close === code)?.[0];
  return new HubError<string>(name ?? "disconnected", `Closed with ${code}. ${reason}`.trim());
}
