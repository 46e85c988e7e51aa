// A method that takes a stream, called in one upload: a socket of the hub for as long as it takes.

import { toJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema, type Value } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { hasPrototypeKey } from "../../protocols/hostile-json.ts";
import type { InvokeRequest, UploadRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { closeQuietly, refuse } from "../stream/bridge.ts";
import { isQuestion, type Heard } from "../sse/sse-events.ts";
import { invokeText, resultOf, streamOf, within, type Answer } from "./grpc-call.ts";
import { endingOf } from "./grpc-errors.ts";
import { fitting, hubSocket, recordsIn, type HubSocket } from "./hub-socket.ts";
import { mixed } from "./upload-reader.ts";
import { valueOf } from "./room-messages.ts";

const ID = 0;
const STREAM = "items";

/** Throws what the method throws, whatever is wrong with an item, and what ended its connection. */
export async function items(
  request: InvokeRequest,
  rest: AsyncIterator<UploadRequest>,
  context: HandlerContext,
) {
  const call = new Call(await hubSocket(context, request.hub));
  try {
    call.say(invokeText(ID, request, withStream));
    // An answer may come before the items end.
    const answer = Promise.race([call.answer, poured(rest, call).then(() => call.soon())]);
    return { result: valueOf(await within(context.signal, answer)) };
  } finally {
    call.end();
  }
}

async function poured(rest: AsyncIterator<UploadRequest>, call: Call): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    const { done, value } = await rest.next();
    if (done) return call.say(wordText("$/end", { stream: STREAM }));
    if (value.kind.case !== "item") throw mixed();
    call.say(wordText("$/item", { stream: STREAM, item: itemIn(value.kind.value) }));
  }
}

function itemIn(value: Value): JsonValue {
  const item = jsonOf(value);
  // The hub leaves out what it does not understand, and cannot say whose it was.
  if (hasPrototypeKey(item)) throw new HubError("invalid_item", "An item has no key `__proto__`.");
  return item;
}

function jsonOf(value: Value): JsonValue {
  try {
    return toJson(ValueSchema, value);
  } catch {
    throw new HubError("invalid_item", "Items are values of JSON: no NaN, and no kind unset.");
  }
}

const wordText = (method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", method, params });

/** Where the caller has put it, or last. */
const withStream = (args: readonly JsonValue[]): readonly JsonValue[] =>
  args.some((one) => streamOf(one) === STREAM) ? args : [...args, { $stream: STREAM }];

class Call {
  readonly #hub: HubSocket;
  readonly #answer = Promise.withResolvers<JsonValue>();

  constructor(hub: HubSocket) {
    const { socket } = (this.#hub = hub);
    // Whoever waits for it is told.
    this.#answer.promise.catch(() => {});
    socket.addEventListener("message", ({ data }) => this.#take(data as string));
    socket.addEventListener("close", ({ code, reason }) =>
      this.#answer.reject(endingOf(code, reason)),
    );
    socket.accept();
  }

  get answer(): Promise<JsonValue> {
    return this.#answer.promise;
  }

  /** Once its items have ended, a call is like any other. */
  soon(): Promise<JsonValue> {
    return withTimeout(this.#hub.limits.requestSeconds * 1000, this.answer, late);
  }

  /** Throws `too_large` or `too_deep`. */
  say(text: string): void {
    this.#hub.socket.send(fitting(text, this.#hub.limits));
  }

  end(): void {
    closeQuietly(this.#hub.socket);
  }

  #take(text: string): void {
    try {
      for (const record of recordsIn(text)) this.#heard(record);
    } catch (error) {
      this.#answer.reject(error);
    }
  }

  /** What rooms say meanwhile is for sessions. */
  #heard(record: Heard): void {
    if (isQuestion(record)) refuse(this.#hub.socket, record);
    else if (record.method === "$/item")
      throw new HubError("wrong_kind", "This method gives a stream: it needs a Session.");
    else if (record.method === undefined) this.#answer.resolve(resultOf(record as Answer));
  }
}

const late = () => new HubError("timed_out", "The call took too long.");
