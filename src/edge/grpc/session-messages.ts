// What is said in a session, both ways: messages → the hub's JSON-RPC, and back.

import { create, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { HubError, publicError } from "../../model/errors.ts";
import {
  SessionResponseSchema,
  type AnswerSchema,
  type SessionRequest,
  type SessionResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { Heard } from "../sse/sse-events.ts";
import { invokeText, publishText, resultOf, streamOf, type Answer } from "./grpc-call.ts";
import { outcomeOf, valueOf, wordOf } from "./room-messages.ts";

/** A call that waits for its answer: what it was decides how that looks. */
export type Open = Pick<SessionRequest, "id" | "kind">;

/** The text of a call. Throws `invalid_arguments`. */
export function textOf({ id, kind }: SessionRequest): string {
  const call = (method: string, params: object) =>
    JSON.stringify({ jsonrpc: "2.0", id, method, params });
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
    case "cancel":
      return JSON.stringify({
        ...{ jsonrpc: "2.0", method: "$/cancelRequest" },
        params: { id: kind.value },
      });
    default:
      throw new HubError(
        "invalid_arguments",
        "A session begins once, and then says what it wants.",
      );
  }
}

function withoutStreams(args: readonly JsonValue[]): readonly JsonValue[] {
  if (args.every((one) => streamOf(one) === undefined)) return args;
  throw new HubError("wrong_kind", "A method that takes a stream needs an Upload.");
}

const response = (kind: MessageInitShape<typeof SessionResponseSchema>["kind"]): SessionResponse =>
  create(SessionResponseSchema, kind ? { kind } : {});

/** How a call ended. */
export function answered(open: Open, answer: Answer): SessionResponse {
  try {
    return response(answerOf(open.id, outcome(open, resultOf(answer))));
  } catch (error) {
    return failed(open.id, error);
  }
}

export function failed(id: number, error: unknown): SessionResponse {
  const { code, message } = publicError(error);
  return response(answerOf(id, { case: "failure", value: { code, message } }));
}

type Outcome = NonNullable<MessageInitShape<typeof AnswerSchema>["outcome"]>;

const answerOf = (id: number, outcomeOfIt: Outcome) =>
  ({ case: "answer", value: { id, outcome: outcomeOfIt } }) as const;

interface Joined {
  readonly position: string;
  readonly recovered: boolean;
  readonly replayed: number;
}

function outcome({ kind }: Open, result: JsonValue): Outcome {
  switch (kind.case) {
    case "join": {
      const joined = result as unknown as Joined;
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
    default:
      return { case: "done", value: {} };
  }
}

/** What is no answer: an item of a stream, that a room was left, or what a room says. */
export function heard(record: Heard, presence: boolean): SessionResponse | undefined {
  if (record.method === "$/left") {
    const { room: topic, reason } = record.params as { room: string; reason: string };
    return response({ case: "left", value: { topic, reason } });
  }
  if (record.method === "$/item") {
    const { id, item } = record.params as { id: number; item: JsonValue };
    return response({ case: "item", value: { id, value: valueOf(item) } });
  }
  const word = wordOf("", record);
  return !word || (word.case === "presence" && !presence) ? undefined : response(word);
}
