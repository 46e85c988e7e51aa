// Refused calls in the log, for developers, because SignalR's clients only get the fact that a call has failed. Only if
// the worker is configured for it, because a line costs about as much as a call.

import type { HubError } from "../../model/errors.ts";
import { isDevelopment } from "../../model/environment.ts";
import { logDebug } from "../../model/logger.ts";
import { factsOf } from "../../model/refusal-facts.ts";
import type { Host } from "../../rooms/object/host.ts";

/** The setting, of `ObjectEnv`: tests of hubs compile without the platform's types. */
interface LogEnv {
  readonly LOG_REFUSED_CALLS?: string;
}

/**
 * Counts the refusal, and logs it. The reason is the error's sentence: for arguments it has the place (`Argument 1
 * (address.zip)`) and the schema's message, not the value. Unexpected errors have a separate line.
 */
export function noteRefusedCall(host: Host, method: string, error: HubError<string>): void {
  const { code, message: reason } = error;
  host.activity.refused(code);
  const { LOG_REFUSED_CALLS } = host.env as LogEnv;
  if (LOG_REFUSED_CALLS !== "1" || code === "internal") return;
  const facts = isDevelopment(host.env as object) ? factsOf(error) : undefined;
  logDebug("call_refused", { hub: host.domain.hub, method, code, reason, ...facts });
}
