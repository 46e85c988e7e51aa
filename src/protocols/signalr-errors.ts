// Errors in the texts of ASP.NET Core, word for word: stock clients display them and applications compare them
// (DefaultHubDispatcher.cs, HubConnectionHandler.cs) (docs/design/signalr-wire.md#er1).

import { ERRORS } from "../model/error-table.ts";
import { CLOSE, HubError, type CloseCode } from "../model/errors.ts";
import type { Outgoing } from "../model/message.ts";
import type { Limits } from "../model/options.ts";

export type Failure = Extract<Outgoing, { type: "failure" }>;

/**
 * The `error` of a call's Completion. Its text depends on the stage at which the call failed, and on whose error it is:
 * only those of the server itself (`isOwn`) have sentences of their own.
 */
export function failureText({ id, error, target = "", stage = "invoking" }: Failure): string {
  const code = error.isOwn && error.code;
  if (code === "wrong_kind" || code === "ended") return error.message;
  if (code === "duplicate_id") return duplicateId(error.message, String(id));
  if (stage === "streaming")
    return `An error occurred on the server while streaming results.${exceptionText(error)}`;
  if (stage === "invoking")
    return `An unexpected error occurred invoking '${target}' on the server.${exceptionText(error)}`;
  if (stage === "authorising" && code === "forbidden")
    return ERRORS.forbidden.signalR.replace("{target}", () => target);
  return `Failed to invoke '${target}' due to an error on the server.${reasonText(error, stage)}`;
}

/** The error's message may be the complete sentence already, if it is about a stream's id instead of the call's. */
const duplicateId = (message: string, id: string): string =>
  /^Invocation ID '[^]*' is already in use\.$/.test(message)
    ? message
    : ERRORS.duplicate_id.signalR.replace("{id}", () => id);

/**
 * A `HubError` is like .NET's HubException: its message is always shown. Of other exceptions only `detail` is shown.
 */
function exceptionText({ code, message, detail, isOwn }: HubError): string {
  if (isOwn && code === "internal") return detailSuffix(detail);
  if (isOwn && code === "invalid_item")
    return ` HubException: ${ERRORS.invalid_item.signalR}${detailSuffix(detail)}`;
  return ` HubException: ${message}`;
}

/**
 * Messages of argument validation are not .NET's and may reveal more of the hub than its author intends, so they are
 * replaced.
 */
function reasonText(error: HubError, stage: Failure["stage"]): string {
  if (stage === "finding" && error.code === "method_not_found")
    return ` HubException: ${ERRORS.method_not_found.signalR}`;
  if (stage === "binding" && error.code === "invalid_arguments") return detailSuffix(error.detail);
  return exceptionText(error);
}

/** Details are separated from the sentence by a space. */
const detailSuffix = (detail: string | undefined): string => (detail ? ` ${detail}` : "");

/** The members of a Close message, without its type. */
interface CloseMessage {
  readonly error?: string;
  readonly allowReconnect?: true;
}

/** The Close message of a close code. Clients reconnect only if it allows that; details only follow errors. */
export function closeMessageOf(code: CloseCode, detail?: string): CloseMessage {
  if (QUIET.has(code)) return {};
  if (code === CLOSE.expired) return { allowReconnect: true };
  if (code === CLOSE.gone) return { error: CLOSED_WITH_ERROR };
  if ((code === CLOSE.dismissed || code === CLOSE.banned) && detail) return { error: detail };
  const error = CLOSED_WITH_ERROR + detailSuffix(detail);
  return FINAL.has(code) ? { error } : { error, allowReconnect: true };
}

const CLOSED_WITH_ERROR = "Connection closed with an error.";

/** Codes whose Close message has no error. */
const QUIET: ReadonlySet<number> = new Set([CLOSE.normal, CLOSE.aborted]);

/** Codes after which a reconnect would fail again, or displace the client's newer connection. */
const FINAL: ReadonlySet<number> = new Set([
  CLOSE.failed,
  CLOSE.replaced,
  CLOSE.forbidden,
  CLOSE.dismissed,
  CLOSE.revoked,
  CLOSE.banned,
]);

/** A message that cannot be read. SignalR has no answer for it: the connection ends. */
export const invalidData = (sentence: string): HubError =>
  withNetDetail(new HubError("malformed", sentence));

/** A value that no argument can have. Only its call, stream or answer fails; the connection continues. */
export const unreadableValue = (sentence: string): HubError =>
  new HubError("invalid_arguments", sentence);

/** .NET's sentence and advice for a message over the size limit. */
export function tooLarge({ messageBytes }: Limits): HubError {
  const sentence = `The maximum message size of ${messageBytes}B was exceeded.`;
  const advice = "The message size can be configured in AddHubOptions.";
  return withNetDetail(new HubError("too_large", sentence), `${sentence} ${advice}`);
}

export const tooMany = (allowed: number): HubError =>
  withNetDetail(new HubError("too_large", `Frame of more than ${allowed} messages.`));

/** The same error, with the detail that .NET would give. */
export function withNetDetail(error: HubError, sentence = error.message): HubError {
  error.detail = `InvalidDataException: ${sentence}`;
  return error;
}
