// One budget for all that arrives on a connection, whatever it is: calls, items, cancellations, answers, pings, bytes
// that no protocol knows. Calls have a rate of their own beside it, with an answer for each that is refused; a client
// that exceeds this one is closed with 4429.

import type { Limits } from "../../model/options.ts";
import { Budget } from "../platform/budget.ts";

/** Of one connection, from its first frame on; a wake begins it anew. */
export interface InboundBudget {
  readonly messages: Budget;
  readonly bytes: Budget;
}

/** The part of a connection that keeps it. */
interface Receiving {
  inbound: InboundBudget | undefined;
}

/** Messages are at least as many as calls: a hub that allows more calls need not allow messages as well. */
const CALLS_SHARE = 2;

function budgetOf(connection: Receiving, limits: Limits): InboundBudget {
  const { bytesPerSecond, bytesBurst, callsPerSecond, callBurst } = limits;
  const perSecond = Math.max(limits.messagesPerSecond, callsPerSecond * CALLS_SHARE);
  const burst = Math.max(limits.messageBurst, callBurst * CALLS_SHARE);
  return (connection.inbound ??= {
    messages: new Budget(perSecond, burst),
    bytes: new Budget(bytesPerSecond, bytesBurst),
  });
}

/** False where the connection has sent more bytes than it may. Counted before they are decoded. */
export const spendBytes = (connection: Receiving, bytes: number, limits: Limits): boolean =>
  (connection.inbound ?? budgetOf(connection, limits)).bytes.spend(bytes);

/** False where the connection has sent more messages than it may. A frame counts as one at least. */
export const spendMessages = (connection: Receiving, count: number, limits: Limits): boolean =>
  (connection.inbound ?? budgetOf(connection, limits)).messages.spend(count || 1);
