// What went wrong, in the words of ASP.NET Core: stock clients show them, and applications compare them
// (docs/design/signalr-wire.md#er1).

import { ERRORS } from "../model/error-table.ts";
import { CLOSE, HubError, type CloseCode } from "../model/errors.ts";
import type { Outgoing } from "../model/message.ts";
import type { Limits } from "../model/options.ts";

export type Failure = Extract<Outgoing, { type: "failure" }>;

/** The `error` of a call's Completion. Its words depend on how far the call came. */
export function failureText({ id, error, target = "", stage = "invoking" }: Failure): string {
  if (error.code === "wrong_kind" || error.code === "ended") return error.message;
  if (error.code === "duplicate_id") return duplicate(error.message, String(id));
  if (stage === "streaming")
    return `An error occurred on the server while streaming results.${exception(error)}`;
  if (stage === "invoking")
    return `An unexpected error occurred invoking '${target}' on the server.${exception(error)}`;
  if (stage === "authorising" && error.code === "forbidden")
    return ERRORS.forbidden.signalR.replace("{target}", () => target);
  return `Failed to invoke '${target}' due to an error on the server.${reason(error, stage)}`;
}

/** The sentence may come ready, about a stream's id rather than the call's own. */
const duplicate = (message: string, id: string): string =>
  /^Invocation ID '[^]*' is already in use\.$/.test(message)
    ? message
    : ERRORS.duplicate_id.signalR.replace("{id}", () => id);

/** Ours are HubExceptions, which always show; what user code threw shows only where the hub gave a detail. */
function exception({ code, message, detail }: HubError): string {
  if (code === "invalid_item")
    return ` HubException: ${ERRORS.invalid_item.signalR}${suffix(detail)}`;
  return code === "internal" ? suffix(detail) : ` HubException: ${message}`;
}

/** Our own sentence about arguments is not .NET's, and may say more of the hub than its author wants to show. */
function reason(error: HubError, stage: Failure["stage"]): string {
  if (stage === "finding" && error.code === "method_not_found")
    return ` HubException: ${ERRORS.method_not_found.signalR}`;
  if (stage === "binding" && error.code === "invalid_arguments") return suffix(error.detail);
  return exception(error);
}

const suffix = (detail: string | undefined): string => (detail ? ` ${detail}` : "");

/** What a Close message says beside its type. */
export interface Closing {
  readonly error?: string;
  readonly allowReconnect?: true;
}

/** Clients reconnect after a Close only where it allows them to; a detail is shown where an error is. */
export function closing(code: CloseCode, detail?: string): Closing {
  if (QUIET.has(code)) return {};
  if (code === CLOSE.expired) return { allowReconnect: true };
  if (code === CLOSE.gone) return { error: ENDED };
  if (code === CLOSE.dismissed && detail) return { error: detail };
  const error = ENDED + suffix(detail);
  return FINAL.has(code) ? { error } : { error, allowReconnect: true };
}

const ENDED = "Connection closed with an error.";

const QUIET: ReadonlySet<number> = new Set([CLOSE.normal, CLOSE.aborted]);

/** A client that came back would meet the same, or drive its other self away. */
const FINAL: ReadonlySet<number> = new Set([
  CLOSE.failed,
  CLOSE.replaced,
  CLOSE.forbidden,
  CLOSE.dismissed,
  CLOSE.revoked,
]);

/** What cannot be understood: SignalR has no answer for it, the connection ends. */
export function invalidData(sentence: string): HubError {
  return withDetail(new HubError("malformed", sentence), sentence);
}

export const tooDeep = (error: HubError): HubError => withDetail(error, error.message);

export function tooLarge({ messageBytes }: Limits): HubError {
  const sentence = `The maximum message size of ${messageBytes}B was exceeded.`;
  const advice = "The message size can be configured in AddHubOptions.";
  return withDetail(new HubError("too_large", sentence), `${sentence} ${advice}`);
}

export function tooMany(allowed: number): HubError {
  const sentence = `Frame of more than ${allowed} messages.`;
  return withDetail(new HubError("too_large", sentence), sentence);
}

function withDetail(error: HubError, sentence: string): HubError {
  error.detail = `InvalidDataException: ${sentence}`;
  return error;
}
