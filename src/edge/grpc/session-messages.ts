// Converts messages of a session: its requests to the hub's JSON-RPC, and JSON-RPC to its responses.

import { create, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { HubError, publicError } from "../../model/errors.ts";
import type { RunAnswer } from "../../model/state-wire.ts";
import {
  SessionResponseSchema,
  type AnswerSchema,
  type SessionRequest,
  type SessionResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { RoomRecord } from "../stream/room-record.ts";
import {
  callText,
  invokeText,
  publishText,
  resultOf,
  runText,
  streamOf,
  type CallAnswer,
} from "./grpc-call.ts";
import { messageOf, outcomeOf, ranResponse, valueOf } from "./room-messages.ts";

/** A call that waits for its answer. Its kind decides the form of the answer. */
export type OpenCall = Pick<SessionRequest, "id" | "kind">;

/**
 * The JSON-RPC text of a request; the id is the caller's own. Joining without a position begins at the present. Throws
 * `invalid_arguments`, `room_kind_not_found` or `wrong_kind`.
 */
export function textOf({ id, kind }: SessionRequest): string {
  const call = (method: string, params: object) => callText({ id, method, params });
  switch (kind.case) {
    case "join": {
      const { topic: room, position: since } = kind.value;
      return call("$/join", since === "" ? { room } : { room, since });
    }
    case "leave":
      return call("$/leave", { room: kind.value });
    case "publish":
      return publishText(id, kind.value);
    case "invoke":
      return invokeText(id, kind.value, withoutStreams);
    case "run":
      return runText(id, kind.value);
    case "cancel":
      // A notification: it has no answer of its own, but the call that it cancels has.
      return callText({ method: "$/cancelRequest", params: { id: kind.value } });
    default:
      throw new HubError(
        "invalid_arguments",
        "After hello and confirm, each message is a request.",
      );
  }
}

/** A session has no message for items of a client's stream. */
function withoutStreams(args: readonly JsonValue[]): readonly JsonValue[] {
  if (args.every((one) => streamOf(one) === undefined)) return args;
  throw new HubError("wrong_kind", "A method that takes a stream needs an Upload.");
}

/** All responses are built by this function, so that the union of all cases is checked in one place. */
const response = (kind: MessageInitShape<typeof SessionResponseSchema>["kind"]): SessionResponse =>
  create(SessionResponseSchema, kind ? { kind } : {});

/** The response to a call that was answered, with a result or an error. */
export function answerResponse(open: OpenCall, answer: CallAnswer): SessionResponse {
  try {
    return response(answerOf(open.id, outcomeOfCall(open, resultOf(answer))));
  } catch (error) {
    return failureResponse(open.id, error);
  }
}

/** The response to a call that failed, at its hub or before it was sent. */
export function failureResponse(id: number, error: unknown): SessionResponse {
  const { code, message } = publicError(error);
  return response(answerOf(id, { case: "failure", value: { code, message } }));
}

type Outcome = NonNullable<MessageInitShape<typeof AnswerSchema>["outcome"]>;

const answerOf = (id: number, outcome: Outcome) =>
  ({ case: "answer", value: { id, outcome } }) as const;

/** The result of `$/join`. */
interface JoinResult {
  readonly position: string;
  readonly recovered: boolean;
  readonly replayed: number;
}

/** Results come from the hub itself, and are trusted to have the form of their method. */
function outcomeOfCall({ kind }: OpenCall, result: JsonValue): Outcome {
  switch (kind.case) {
    case "join": {
      const joined = result as unknown as JoinResult;
      const { topic, position: since } = kind.value;
      const { position, replayed } = joined;
      return {
        case: "joined",
        value: { topic, outcome: outcomeOf(joined, since), position, replayed },
      };
    }
    case "publish":
      return { case: "published", value: result as unknown as { position: string } };
    case "invoke":
      return { case: "invoked", value: { result: valueOf(result) } };
    case "run":
      return { case: "ran", value: ranResponse(result as unknown as RunAnswer) };
    default:
      return { case: "done", value: {} };
  }
}

/**
 * The response for a record that answers no call: the hub removed the session from a room, an item of a method's
 * stream, or a message of a room. Undefined for records that the caller did not ask for.
 */
export function eventResponse(record: RoomRecord, presence: boolean): SessionResponse | undefined {
  if (record.method === "$/left") {
    const { room: topic, reason } = record.params as { room: string; reason: string };
    return response({ case: "left", value: { topic, reason } });
  }
  if (record.method === "$/item") {
    const { id, item } = record.params as { id: number; item: JsonValue };
    return response({ case: "item", value: { id, value: valueOf(item) } });
  }
  const message = messageOf("", record);
  return !message || (message.case === "presence" && !presence) ? undefined : response(message);
}
