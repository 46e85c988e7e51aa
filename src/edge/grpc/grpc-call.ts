// One call of the service: its context, and how it reaches its hub. Hubs are called in JSON-RPC, as by every other
// client: this file writes the calls and reads the answers.

import { toJson, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema, type ListValue } from "@bufbuild/protobuf/wkt";
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { HubError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";
import type {
  InvokeRequest,
  PublishRequest,
  RunRequest,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { admitCaller, callerAt, type Caller } from "../admit/hub-callers.ts";
import { callRelay } from "../admit/relay-call.ts";
import type { StreamServing } from "../stream/room-sources.ts";
import { untilAborted } from "./abort-signals.ts";
import type { Body } from "./grpc-body.ts";
import { CallError } from "./grpc-errors.ts";

/**
 * Everything that a handler needs in addition to its message. Contexts are replaced, not changed: a handler that keeps
 * one does not see later state.
 */
export interface CallContext {
  readonly request: Request;
  readonly serving: StreamServing;
  readonly body: Body;
  /** Absent before authentication, and for the health service, which needs none. */
  readonly user?: User;
  /** The hub's name, for the log. Absent until a handler has resolved it. */
  readonly hub?: string;
}

/** Set by the router for every call. */
export const CALL = createContextKey<CallContext | undefined>(undefined);

/** Throws `unauthorized` for a call that was not authenticated; the router lets no such call through. */
export function authenticatedCall({
  values,
}: HandlerContext): CallContext & { readonly user: User } {
  const call = values.get(CALL);
  if (!call?.user) throw new HubError("unauthorized", "A token is needed.");
  return { ...call, user: call.user };
}

/** The caller, at the named hub, not yet admitted. Throws `token_expired`, `invalid_arguments` or `hub_not_found`. */
export function callerAtHub(context: HandlerContext, hub: string): Caller {
  const call = authenticatedCall(context);
  checkExpiry(call.user);
  if (hub === "") throw new HubError("invalid_arguments", "Which hub?");
  const caller = callerAt(call, hub, call.serving.hubs);
  context.values.set(CALL, { ...call, hub: caller.served.name });
  return caller;
}

/**
 * The caller, admitted to the hub. Each call counts as a new connection, as a POST of JSON-RPC does. Throws
 * `rate_limited`, what the webhook throws, `forbidden`, and the signal's reason.
 */
export const admittedCaller = (context: HandlerContext, hub: string): Promise<Caller> =>
  untilAborted(
    context.signal,
    admitCaller(callerAtHub(context, hub), authenticatedCall(context).serving),
  );

/** A long call may outlast its token; after that, no further step of it may begin. Throws `token_expired`. */
export function checkExpiry({ expiresAt }: User): void {
  if (expiresAt <= Date.now()) throw new HubError("token_expired", "The token has expired.");
}

/** JSON-RPC's answer. */
export interface CallAnswer {
  /** Null if the frame was refused as a whole: then this is the only answer. */
  readonly id: number | null;
  readonly result?: JsonValue;
  readonly error?: { readonly message: string; readonly data?: { readonly code?: string } };
}

/**
 * Sends JSON-RPC text to the hub, one call or an array of calls. Returns the answers, in any order: they are matched by
 * id. Throws what `callRelay` throws, and the signal's reason; then it is unknown which calls have run.
 */
export async function callHubOf(
  caller: Caller,
  context: HandlerContext,
  text: string,
): Promise<readonly CallAnswer[]> {
  const { serving } = authenticatedCall(context);
  const { signal } = context;
  const work = callRelay({ caller, serving, signal }, text);
  const answers = JSON.parse(await untilAborted(signal, work)) as CallAnswer | CallAnswer[];
  return Array.isArray(answers) ? answers : [answers];
}

/** The result of a call; null for a method without one. Throws a `CallError` if the call failed. */
export function resultOf({ result, error }: CallAnswer): JsonValue {
  if (error) throw new CallError(error.data?.code ?? "internal", error.message);
  return result ?? null;
}

interface CallMessage {
  /** Absent: a notification. */
  readonly id?: number;
  readonly method: string;
  readonly params: unknown;
  readonly idempotencyKey?: string;
}

export const callText = (message: CallMessage): string =>
  JSON.stringify({ jsonrpc: "2.0", ...message });

/** A publication as a call. Throws `invalid_arguments` or `room_kind_not_found`. */
export const publishText = (id: number, request: Omit<PublishRequest, "hub">): string => {
  const { topic, target: method, idempotencyKey, excluded } = request;
  if (method === "") throw new HubError("invalid_arguments", "The target is missing.");
  const room = checkTopic(topic);
  const params = argumentsOf(request.arguments);
  const publication = { room, method, params, ...keyMember(idempotencyKey) };
  const whole = excluded.length > 0 ? { ...publication, excluded } : publication;
  return callText({ id, method: "$/publish", params: whole });
};

/** An invocation of a hub method as a call; `complete` may check or add arguments. Throws `invalid_arguments`. */
export const invokeText = (
  id: number,
  request: Omit<InvokeRequest, "hub">,
  complete = (args: readonly JsonValue[]): readonly JsonValue[] => args,
): string => {
  const { method, idempotencyKey } = request;
  const params = complete(argumentsOf(request.arguments));
  return callText({ id, method, params, ...keyMember(idempotencyKey) });
};

/** A run of an action as a call. Throws `invalid_arguments` or `room_kind_not_found`. */
export const runText = (id: number, request: Omit<RunRequest, "hub">): string => {
  const { topic, action, idempotencyKey, position: at } = request;
  if (action === "") throw new HubError("invalid_arguments", "The action is missing.");
  const run = { room: checkTopic(topic), action, params: argumentsOf(request.arguments) };
  const params = { ...run, ...keyMember(idempotencyKey), ...(at !== "" && { at }) };
  return callText({ id, method: "$/run", params });
};

/** Requires the topic's kind, which JSON-RPC lets clients omit. The name is checked by the hub. */
export function checkTopic(text: string): string {
  if (text.includes(":") || text === "all") return text;
  throw new HubError("room_kind_not_found", "A topic is `group:name`, `order:id` or `user:id`.");
}

/** The id of the stream that an argument `{ "$stream": id }` stands for; undefined for any other value. */
export function streamOf(value: JsonValue): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1)
    return undefined;
  return (value as { $stream?: JsonValue }).$stream;
}

/** Proto3 has no absent strings: an empty key counts as absent. */
const keyMember = (idempotencyKey: string) => (idempotencyKey === "" ? {} : { idempotencyKey });

/** Throws `invalid_arguments` for values that JSON cannot express. */
function argumentsOf(list: ListValue | undefined): readonly JsonValue[] {
  try {
    return list ? (toJson(ListValueSchema, list) as JsonValue[]) : [];
  } catch {
    throw new HubError(
      "invalid_arguments",
      "Arguments are JSON values: no NaN, and each kind is set.",
    );
  }
}
