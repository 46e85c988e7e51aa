// What may be said in a room at all, whoever says it.

import { HubError } from "../../model/errors.ts";
import type { Draft } from "../rpc/log-entry.ts";

/** Hub code may not speak the protocol's own words, and what it says must fit into a row. */
export function checkDraft({ target, params }: Draft, most: number): void {
  if (target.startsWith("$"))
    throw new HubError("invalid_request", "A target may not begin with $.");
  if (params.length > most || (params.length * 3 > most && byteLength(params) > most))
    throw new HubError("too_large", `A message has ${most} bytes at most.`);
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;
