// An upload that invokes a method which takes a stream. It opens a socket to the hub, for the one call and its one
// stream, for as long as the upload takes.

import { toJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema, type Value } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { hasPrototypeKey } from "../../protocols/json.ts";
import type { InvokeRequest, UploadRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { isRequest, recordsIn, type RoomRecord } from "../stream/room-record.ts";
import { closeQuietly, refuseRequest } from "../stream/room-socket.ts";
import { untilAborted } from "./abort-signals.ts";
import { callText, invokeText, resultOf, streamOf, type CallAnswer } from "./grpc-call.ts";
import { endingOf, mixedUploadError } from "./grpc-errors.ts";
import { checkText, hubSocket, type HubSocket } from "./hub-socket.ts";
import { valueOf } from "./room-messages.ts";

/** Ids on the upload's own socket. */
const CALL_ID = 0;
const STREAM_ID = "items";

/**
 * Answers with the method's result. It may come before the items end: then the rest is discarded. Throws what the
 * method throws (as a `CallError`), `invalid_item`, what `hubSocket` throws, and the error that ends the socket.
 */
export async function uploadItems(
  request: InvokeRequest,
  rest: AsyncIterator<UploadRequest>,
  context: HandlerContext,
) {
  const call = new StreamCall(await hubSocket(context, request.hub));
  try {
    call.send(invokeText(CALL_ID, request, withStream));
    const result = Promise.race([
      call.result,
      sendItems(rest, call).then(() => call.resultInTime()),
    ]);
    return { result: valueOf(await untilAborted(context.signal, result)) };
  } finally {
    call.end();
  }
}

/**
 * Sends the items in order, then the stream's end. There is no back-pressure on a fast caller: the hub's limits of rate
 * and of queued items end the connection of one that floods it.
 */
async function sendItems(rest: AsyncIterator<UploadRequest>, call: StreamCall): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    const { done, value } = await rest.next();
    if (done) return call.send(callText({ method: "$/end", params: { stream: STREAM_ID } }));
    if (value.kind.case !== "item") throw mixedUploadError();
    const params = { stream: STREAM_ID, item: itemIn(value.kind.value) };
    call.send(callText({ method: "$/item", params }));
  }
}

/** Throws `invalid_item` for an item that the hub would drop without naming the call. */
function itemIn(value: Value): JsonValue {
  const item = jsonOf(value);
  if (hasPrototypeKey(item)) throw new HubError("invalid_item", "An item has no key `__proto__`.");
  return item;
}

function jsonOf(value: Value): JsonValue {
  try {
    return toJson(ValueSchema, value);
  } catch {
    throw new HubError("invalid_item", "Items are JSON values: no NaN, and each kind is set.");
  }
}

/** Replaces the argument `{ "$stream": "items" }` with the stream; without it, the stream is the last argument. */
const withStream = (args: readonly JsonValue[]): readonly JsonValue[] =>
  args.some((one) => streamOf(one) === STREAM_ID) ? args : [...args, { $stream: STREAM_ID }];

/**
 * One call on its own socket, from its invocation to its result. The result is settled once, by the first of: the
 * answer, an item of a stream that the method returns, the close of the socket.
 */
class StreamCall {
  readonly #hub: HubSocket;
  readonly #result = Promise.withResolvers<JsonValue>();

  constructor(hub: HubSocket) {
    const { socket } = (this.#hub = hub);
    // It may be rejected before anything waits for it.
    this.#result.promise.catch(() => {});
    socket.addEventListener("message", ({ data }) => this.#receive(data as string));
    socket.addEventListener("close", ({ code, reason }) =>
      this.#result.reject(endingOf(code, reason)),
    );
    socket.accept();
  }

  get result(): Promise<JsonValue> {
    return this.#result.promise;
  }

  /** The result, to be awaited after the items have ended: then the usual timeout of calls applies (`timed_out`). */
  resultInTime(): Promise<JsonValue> {
    return withTimeout(this.#hub.limits.requestSeconds * 1000, this.result, timedOut);
  }

  /** Throws `too_large` or `too_deep`. */
  send(text: string): void {
    this.#hub.socket.send(checkText(text, this.#hub.limits));
  }

  /** Closes the socket: the hub cancels the call if it is still running. */
  end(): void {
    closeQuietly(this.#hub.socket);
  }

  /** An error becomes the call's outcome: thrown by a listener it would be lost. */
  #receive(text: string): void {
    try {
      for (const record of recordsIn(text)) this.#receiveRecord(record);
    } catch (error) {
      this.#result.reject(error);
    }
  }

  /** Messages of rooms are for sessions and streams, and ignored. */
  #receiveRecord(record: RoomRecord): void {
    if (isRequest(record)) refuseRequest(this.#hub.socket, record);
    else if (record.method === "$/item")
      throw new HubError("wrong_kind", "This method returns a stream: use a Session.");
    else if (record.method === undefined) this.#result.resolve(resultOf(record as CallAnswer));
  }
}

const timedOut = () => new HubError("timed_out", "The call took too long.");
