// JSON-RPC calls of one HTTP request, run at a relay. There the caller is a connection without a socket for the length
// of the request. A request that its client aborts is aborted at the relay as well.

import { HubError } from "../../model/errors.ts";
import { randomId } from "../../rooms/rpc/object-names.ts";
import { connectRequest } from "./connect-request.ts";
import { relayTargetOf, type Caller } from "./hub-callers.ts";
import { unlessRefused } from "../../rooms/rpc/fault.ts";
import type { Relay } from "./relay-choice.ts";
import type { Serving } from "./serving.ts";

/** The calls of an admitted caller. The relay limits their rate for each user. */
interface RelayCall {
  readonly caller: Caller;
  readonly serving: Serving;
  /** Aborted when the client has gone, or its deadline has passed. */
  readonly signal: AbortSignal;
}

/**
 * Runs the calls in the text of one request. Returns one answer, or an array of them for a batch; empty text if all
 * calls are notifications. Errors of single calls are part of the answers. Throws `relay_full`, or the reason for which
 * the connection ended before it could answer: `rate_limited`, `timed_out`, `unauthorized`, `interrupted` or a refusal
 * of the account.
 */
export async function callRelay(
  { caller, serving, signal }: RelayCall,
  text: string,
): Promise<string> {
  const { request, user, served } = caller;
  const arrival = { user, request: connectRequest(request, served.settings), random: randomId() };
  // The relay that is working on the calls, if any.
  let last: Relay | undefined;
  const hangUp = () => {
    if (last) serving.waitUntil(last.hangUp(arrival.random));
  };
  signal.addEventListener("abort", hangUp);
  try {
    const { relays } = serving;
    const answered = await relays.find(
      serving,
      { ...relayTargetOf(caller), isOnce: true },
      (relay) => {
        if (signal.aborted) throw new HubError("interrupted", "The client is gone.");
        return (last = relay).answer(arrival, text);
      },
    );
    return unlessRefused(answered).text;
  } finally {
    signal.removeEventListener("abort", hangUp);
  }
}
