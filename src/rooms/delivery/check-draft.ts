// Limits that every published message must keep, whether a client, hub code or a service publishes it.

import { HubError } from "../../model/errors.ts";
import type { Draft } from "../rpc/log-entry.ts";

/**
 * Throws `invalid_request` for a target that is reserved for the protocol's own messages, and `too_large` for a message
 * that might not fit into a row of the log. Bytes are counted only where characters do not decide.
 */
export function checkDraft({ target, params }: Draft, maxBytes: number): void {
  if (target.startsWith("$"))
    throw new HubError("invalid_request", "A target may not begin with $.");
  if (params.length > maxBytes || (params.length * 3 > maxBytes && byteLength(params) > maxBytes))
    throw new HubError("too_large", `A message has ${maxBytes} bytes at most.`);
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;
