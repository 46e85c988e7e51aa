// One connection to a hub, both ways: its JSON-RPC socket at a relay, for callers whose transport carries both
// directions at once. Nothing in HTTP says whether it does, so that the caller has to show it.

import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { HubError } from "../../model/errors.ts";
import {
  HeartbeatSchema,
  SessionResponseSchema,
  type Hello,
  type SessionRequest,
  type SessionResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { codeOf } from "../../rooms/attach.ts";
import type { RpcArrival } from "../../rooms/rpc.ts";
import { closeQuietly, refuse } from "../bridge.ts";
import { checkConnectRate } from "../connect-rate.ts";
import { connectRequest } from "../connect-request.ts";
import { isHello, isQuestion, type Heard } from "../events.ts";
import { wanted } from "../hub-callers.ts";
import { enterAtRelay } from "../relays.ts";
import { askingOf, callerIn, within, type Answer } from "./asking.ts";
import { endingOf } from "./errors.ts";
import { Queue } from "./queue.ts";
import { answered, failed, heard, textOf, type Open } from "./session-words.ts";
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
  const first = await within(signal, source.next());
  if (first.done || first.value.kind.case !== "hello")
    throw new HubError("invalid_arguments", "A session begins with hello.");
  const hello = first.value.kind.value;
  const talk = new Talk(await opened(hello, context), hello);
  const abort = () => talk.queue.end(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  void talk.listen(source);
  yield* talk.queue.read();
}

/** Browsers send a whole body before they read, and so does whoever says how long it is. */
function checkTransport({ protocolName, requestHeader }: HandlerContext): void {
  if (protocolName === "grpc-web" || requestHeader.has("content-length")) throw oneWay();
}

const oneWay = () =>
  new HubError(
    "unimplemented",
    "A session needs a transport that carries both directions at once. Use Subscribe and Publish.",
  );

/** Throws what entering a hub throws. */
async function opened({ hub }: Hello, context: HandlerContext): Promise<WebSocket> {
  const asking = askingOf(context);
  const { request, env } = asking;
  const caller = await callerIn(asking, hub);
  await checkConnectRate(request, caller.user, env);
  const arrival: RpcArrival = {
    ...{ kind: "rpc", user: caller.user, request: connectRequest(request), arrays: true },
  };
  const response = await enterAtRelay(env, wanted(caller), arrival);
  if (response.webSocket) return response.webSocket;
  const { error } = await response.json<{ error?: { message: string } }>();
  throw new HubError(
    codeOf(response) ?? "internal",
    error?.message ?? "The hub cannot be entered.",
  );
}

class Talk {
  readonly queue: Queue<SessionResponse>;
  readonly #socket: WebSocket;
  readonly #hello: Hello;
  readonly #confirm = crypto.randomUUID();
  readonly #open = new Map<number, Open>();
  readonly #timers: ReturnType<typeof setInterval>[];
  #isConfirmed = false;
  #hasSaidAll = false;

  constructor(socket: WebSocket, hello: Hello) {
    this.#socket = socket;
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
      if (this.#open.has(id)) throw new HubError("duplicate_id", "A call with this id is open.");
      const text = textOf(request);
      if (kind.case !== "cancel") this.#open.set(id, { id, kind });
      this.#socket.send(text);
    } catch (error) {
      this.queue.push([failed(id, error)], 64);
    }
  }

  #take(text: string): void {
    const said = JSON.parse(text) as Heard | Heard[];
    const records = Array.isArray(said) ? said : [said];
    const told = records.flatMap((record) => this.#told(record) ?? []);
    this.queue.push(told, text.length);
    this.#endIfDone();
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

  /** Without an id it is about a message that was not understood, and too long to look at. */
  #answered(answer: Answer): SessionResponse | undefined {
    const open = answer.id === null ? [...this.#open.values()].at(-1) : this.#open.get(answer.id);
    if (!open) return undefined;
    this.#open.delete(open.id);
    return answered(open, answer);
  }
}

const HEARTBEAT = create(SessionResponseSchema, {
  kind: { case: "heartbeat", value: create(HeartbeatSchema) },
});
