// Refused messages: each is answered while its client is within limits; beyond them its connection ends.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { Incoming } from "../../model/message.ts";
import { failure, showsDetails, type SendAnswer } from "./frame-answers.ts";
import { noteRefusedCall } from "./refused-calls.ts";
import type { Session } from "./session.ts";

/** Closes the connection: the bytes after a broken message cannot be decoded. Calls before it are answered. */
export function closeMalformed(session: Session, { message, detail }: HubError): void {
  const { host } = session;
  logWarning("connection_broken", { hub: host.domain.hub, reason: message });
  session.clientError = new Error(message);
  const shown = showsDetails(host) ? (detail ?? message) : undefined;
  session.finish(CLOSE.malformed, shown);
}

/** Answers a malformed message. A client that sends only malformed ones is closed. */
export function refuse(
  session: Session,
  message: Incoming & { type: "malformed" },
  answer: SendAnswer,
): void {
  const { host, connection } = session;
  noteRefusedCall(host, "", message.error);
  if (message.id !== undefined) answer(failure(message.id, message.error));
  // An HTTP request ends with its answer, so there is no connection to close.
  if (connection.protocol.answersOnly) return;
  if (++session.malformedInARow >= host.settings.limits.malformedInARow)
    host.connections.close(connection, CLOSE.malformed);
  else limitRefusals(session);
}

/** Counts a refusal. Each costs an answer, so their rate is limited: beyond it the connection is closed. */
export function limitRefusals({ host, connection, refusals }: Session): void {
  if (!refusals.take(host.clock.now())) host.connections.close(connection, CLOSE.flooding);
}

/** The error of a call beyond the rate, which counts as a refusal. */
export function rateError(session: Session): HubError {
  limitRefusals(session);
  const { perSecond } = session.rate;
  return new HubError(
    "rate_limited",
    `${perSecond} calls a second are allowed (limits.callsPerSecond).`,
  );
}

/** The error of a request that names no room, on a connection that is attached to none. */
export const roomMissing = (): HubError =>
  new HubError("invalid_arguments", "The room is missing: this connection is to the whole hub.");
