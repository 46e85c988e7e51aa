// One connection to a hub, both ways: its JSON-RPC socket at a relay, for callers whose transport carries both
// directions at once. Nothing in HTTP says whether it does, so that the caller has to show it.

import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import {
  HeartbeatSchema,
  SessionResponseSchema,
  type Hello,
  type SessionRequest,
  type SessionResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { Limits } from "../../model/options.ts";
import { closeQuietly, refuse } from "../stream/bridge.ts";
import { isHello, isQuestion, type Heard } from "../sse/sse-events.ts";
import { within, type Answer } from "./grpc-call.ts";
import { endingOf } from "./grpc-errors.ts";
import { fitting, hubSocket, recordsIn, type HubSocket } from "./hub-socket.ts";
import { Queue } from "../stream/slow-reader-queue.ts";
import { answered, failed, heard, textOf, type Open } from "./session-messages.ts";
import { HEARTBEAT_MS } from "./subscribe.ts";

/** For the caller to show that it hears while it speaks. */
export const CONFIRM_MS = 5_000;

export async function* session(
  requests: AsyncIterable<SessionRequest>,
  context: HandlerContext,
): AsyncGenerator<SessionResponse> {
  checkTransport(context);
  const { signal } = context;
  const source = requests[Symbol.asyncIterator]();
  // A caller whose transport holds back what it says must not wait for ever.
  const first = withTimeout(CONFIRM_MS, source.next(), oneWay);
  const hello = helloIn(await within(signal, first));
  const talk = new Talk(await hubSocket(context, hello.hub), hello);
  const abort = () => talk.queue.end(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  void talk.listen(source);
  yield* talk.queue.read();
}

function helloIn({ done, value }: IteratorResult<SessionRequest>): Hello {
  if (!done && value.kind.case === "hello") return value.kind.value;
  throw new HubError("invalid_arguments", "A session begins with hello.");
}

/** Browsers send a whole body before they read, and so does whoever says how long it is. */
function checkTransport({ protocolName, requestHeader }: HandlerContext): void {
  if (protocolName === "grpc-web" || requestHeader.has("content-length")) throw oneWay();
}

const oneWay = () =>
  new HubError(
    "unimplemented",
    "A session needs a transport that carries both directions at once, and hello and confirm within 5 seconds each. Use Subscribe and Publish.",
  );

class Talk {
  readonly queue: Queue<SessionResponse>;
  readonly #socket: WebSocket;
  readonly #limits: Limits;
  readonly #hello: Hello;
  readonly #confirm = crypto.randomUUID();
  readonly #open = new Map<number, Open>();
  readonly #timers: ReturnType<typeof setInterval>[];
  #isConfirmed = false;
  #hasSaidAll = false;

  constructor({ socket, limits }: HubSocket, hello: Hello) {
    this.#socket = socket;
    this.#limits = limits;
    this.#hello = hello;
    this.#timers = [
      setInterval(() => this.queue.push([HEARTBEAT], 64), HEARTBEAT_MS),
      setTimeout(() => this.#isConfirmed || this.queue.end(oneWay()), CONFIRM_MS),
    ];
    this.queue = new Queue(() => this.#close());
    socket.addEventListener("message", ({ data }) => this.#take(data as string));
    socket.addEventListener("close", ({ code, reason }) => this.queue.end(endingOf(code, reason)));
    socket.accept();
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    closeQuietly(this.#socket);
  }

  /** Until the caller has said all; what it asked by then is answered. */
  async listen(source: AsyncIterator<SessionRequest>): Promise<void> {
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        const { done, value } = await source.next();
        if (this.queue.hasEnded) return;
        if (done) return this.#saidAll();
        if (this.#isConfirmed) this.#say(value);
        else this.#check(value);
      }
    } catch (error) {
      this.queue.end(error);
    }
  }

  #check({ kind }: SessionRequest): void {
    if (kind.case !== "confirm" || kind.value !== this.#confirm) throw oneWay();
    this.#isConfirmed = true;
  }

  #saidAll(): void {
    if (!this.#isConfirmed) return this.queue.end(oneWay());
    this.#hasSaidAll = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#hasSaidAll && this.#open.size === 0) this.queue.end();
  }

  /** A call that cannot be made fails by itself. */
  #say(request: SessionRequest): void {
    const { id, kind } = request;
    try {
      const text = fitting(textOf(request), this.#limits);
      if (kind.case !== "cancel") this.#begin({ id, kind });
      this.#socket.send(text);
    } catch (error) {
      this.queue.push([failed(id, error)], 64);
    }
  }

  #begin(call: Open): void {
    if (this.#open.has(call.id)) throw new HubError("duplicate_id", "A call with this id is open.");
    this.#open.set(call.id, call);
  }

  /** Nothing may be thrown where the socket is heard: it would say nothing more. */
  #take(text: string): void {
    try {
      const told = recordsIn(text).flatMap((record) => this.#told(record) ?? []);
      this.queue.push(told, text.length);
      this.#endIfDone();
    } catch (error) {
      this.queue.end(error);
    }
  }

  #told(record: Heard): SessionResponse | undefined {
    if (isHello(record)) return this.#ready(record);
    if (isQuestion(record)) return void refuse(this.#socket, record);
    if (record.method !== undefined) return heard(record, this.#hello.presence);
    return this.#answered(record as Answer);
  }

  #ready({ params }: Heard): SessionResponse {
    const { connectionId, userId } = params as { connectionId: string; userId: string };
    const value = { connectionId, userId, confirm: this.#confirm };
    return create(SessionResponseSchema, { kind: { case: "ready", value } });
  }

  /** Without an id nobody can be told: nothing goes there that would not be understood. */
  #answered(answer: Answer): SessionResponse | undefined {
    if (answer.id === null) throw new HubError("internal", "A call was not understood.");
    const open = this.#open.get(answer.id);
    if (!open) return undefined;
    this.#open.delete(open.id);
    return answered(open, answer);
  }
}

const HEARTBEAT = create(SessionResponseSchema, {
  kind: { case: "heartbeat", value: create(HeartbeatSchema) },
});
