// One call of the service: who asks, and how what it asks reaches hubs, which are asked in JSON-RPC as by everybody else.

import { toJson, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema, type ListValue } from "@bufbuild/protobuf/wkt";
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";
import type { InvokeRequest, PublishRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { Body } from "./grpc-body.ts";
import { callerAt, comer, type Caller, type Env } from "../admit/hub-callers.ts";
import { answerTo, type Beyond } from "../json-rpc/hub-endpoint.ts";

export interface Asking {
  readonly request: Request;
  readonly env: Env;
  readonly hubs: Hubs;
  readonly beyond: Beyond;
  readonly body: Body;
  /** Absent where the service is for everybody. */
  readonly user?: User;
  /** Once it is known. */
  readonly hub?: string;
}

export const ASKING = createContextKey<Asking | undefined>(undefined);

/** Of a call whose token was judged. */
export function askingOf({ values }: HandlerContext): Asking & { readonly user: User } {
  const asking = values.get(ASKING);
  if (!asking?.user) throw new HubError("unauthorized", "A token is needed.");
  return { ...asking, user: asking.user };
}

/** The caller at the hub it names. Throws `token_expired`, `invalid_arguments` or `hub_not_found`. */
export function atHub(context: HandlerContext, hub: string): Caller {
  const asking = askingOf(context);
  checkTime(asking.user);
  if (hub === "") throw new HubError("invalid_arguments", "Which hub?");
  const caller = callerAt(asking, hub, asking.hubs);
  context.values.set(ASKING, { ...asking, hub: caller.served.name });
  return caller;
}

/** The same, let in. Throws what the webhook throws, `forbidden`, and whatever ends the call meanwhile. */
export const callerIn = (context: HandlerContext, hub: string): Promise<Caller> =>
  within(context.signal, comer(atHub(context, hub), askingOf(context).env));

/** What takes its time may outlast its token. */
export function checkTime({ expiresAt }: User): void {
  if (expiresAt <= Date.now()) throw new HubError("token_expired", "The token has expired.");
}

/** JSON-RPC's answer. */
export interface Answer {
  readonly id: number | null;
  readonly result?: JsonValue;
  readonly error?: { readonly message: string; readonly data?: { readonly code?: string } };
}

/** Asks the hub: one call, or an array of them; gives the answers. Throws what ended the connection too early. */
export async function answers(
  caller: Caller,
  context: HandlerContext,
  text: string,
): Promise<readonly Answer[]> {
  const { env, beyond } = askingOf(context);
  const { signal } = context;
  const answer = await within(signal, answerTo({ caller, env, beyond, signal }, text));
  const said = JSON.parse(answer) as Answer | Answer[];
  return Array.isArray(said) ? said : [said];
}

/** What a call failed with, at its hub: no refusal of the edge, whatever its code. */
export class CallError extends HubError<string> {}

/** What a call came to. Throws a `CallError`. */
export function resultOf({ result, error }: Answer): JsonValue {
  if (error) throw new CallError(error.data?.code ?? "internal", error.message);
  return result ?? null;
}

/** Nobody waits any longer than the caller does. */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const over = Promise.withResolvers<never>();
  const abort = () => over.reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

export const publishText = (id: number, request: Omit<PublishRequest, "hub">): string => {
  const { topic, target: method, idempotencyKey, excluded } = request;
  if (method === "") throw new HubError("invalid_arguments", "Which target?");
  const room = topicOf(topic);
  const params = argumentsOf(request.arguments);
  const about = { room, method, params, ...keyed(idempotencyKey) };
  const said = excluded.length > 0 ? { ...about, excluded } : about;
  return JSON.stringify({ jsonrpc: "2.0", id, method: "$/publish", params: said });
};

/** `complete` may say more of the arguments. */
export const invokeText = (
  id: number,
  request: Omit<InvokeRequest, "hub">,
  complete = (args: readonly JsonValue[]): readonly JsonValue[] => args,
): string => {
  const { method, idempotencyKey } = request;
  const params = complete(argumentsOf(request.arguments));
  return JSON.stringify({ jsonrpc: "2.0", id, method, params, ...keyed(idempotencyKey) });
};

/** As it came: what is wrong with its name is said where names are read. */
export function topicOf(text: string): string {
  if (text.includes(":") || text === "all") return text;
  throw new HubError("room_kind_not_found", "A topic is `group:name`, `order:id` or `user:id`.");
}

/** The stream that an argument stands for. */
export function streamOf(value: JsonValue): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1)
    return undefined;
  return (value as { $stream?: JsonValue }).$stream;
}

const keyed = (idempotencyKey: string) => (idempotencyKey === "" ? {} : { idempotencyKey });

/** Throws `invalid_arguments` for what JSON has no word for. */
function argumentsOf(list: ListValue | undefined): readonly JsonValue[] {
  try {
    return list ? (toJson(ListValueSchema, list) as JsonValue[]) : [];
  } catch {
    throw new HubError(
      "invalid_arguments",
      "Arguments are values of JSON: no NaN, and no kind unset.",
    );
  }
}
