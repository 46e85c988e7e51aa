// A session: one connection to a hub, in both directions, as a JSON-RPC socket at a relay. It needs a transport that
// carries both directions at once. HTTP cannot declare that, so that the caller has to prove it: it must send back a
// token that it can only have read from the response.

import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { withTimeout } from "../../model/bounded-read.ts";
import { isLoopback } from "../../model/environment.ts";
import { HubError } from "../../model/errors.ts";
import {
  SessionResponseSchema,
  type Hello,
  type SessionRequest,
  type SessionResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { Limits } from "../../model/options.ts";
import { REPORT_EACH } from "../../model/wire-constants.ts";
import { isConnected, isRequest, recordsIn, type RoomRecord } from "../stream/room-record.ts";
import { closeQuietly, refuseRequest } from "../stream/room-socket.ts";
import { Queue } from "../stream/slow-reader-queue.ts";
import { onAbort, untilAborted } from "./abort-signals.ts";
import { CALL, type CallAnswer } from "./grpc-call.ts";
import { endingOf } from "./grpc-errors.ts";
import { heartbeat, HEARTBEAT_MS, SMALL_MESSAGE_BYTES } from "./grpc-heartbeat.ts";
import { checkText, hubSocket, type HubSocket } from "./hub-socket.ts";
import {
  answerResponse,
  eventResponse,
  failureResponse,
  textOf,
  type OpenCall,
} from "./session-messages.ts";

/** Timeout for `hello`, and again for `confirm`. Over a half-duplex transport the call would otherwise never end. */
export const CONFIRM_MS = 5_000;

/**
 * Order: `hello` of the caller, `ready` with a token, `confirm` with the same token, then calls and events. Ends when
 * the caller has ended its direction and all its calls are answered. Throws `unimplemented` for a half-duplex
 * transport, what `hubSocket` throws, and the error that ends the socket.
 */
export async function* session(
  requests: AsyncIterable<SessionRequest>,
  context: HandlerContext,
): AsyncGenerator<SessionResponse> {
  checkTransport(context);
  const { signal } = context;
  const source = requests[Symbol.asyncIterator]();
  const first = withTimeout(CONFIRM_MS, source.next(), oneWay);
  const hello = helloIn(await untilAborted(signal, first));
  const bridge = new SessionBridge(
    await hubSocket(context, hello.hub, { reportsTaken: true }),
    hello,
  );
  onAbort(signal, () => bridge.queue.end(signal.reason));
  void bridge.readRequests(source);
  yield* bridge.queue.read();
}

/** The first message names the hub and the caller's options; there is no second one. */
function helloIn({ done, value }: IteratorResult<SessionRequest>): Hello {
  if (!done && value.kind.case === "hello") return value.kind.value;
  throw new HubError("invalid_arguments", "A session begins with hello.");
}

/**
 * Refuses half-duplex transports: browsers, and callers that declare a length, send the whole body before they read.
 */
function checkTransport({ protocolName, requestHeader, values }: HandlerContext): void {
  const isOneWay = protocolName === "grpc-web" || requestHeader.has("content-length");
  if (isOneWay || isHttp1(values.get(CALL)?.request)) throw oneWay();
}

/**
 * Connect requires HTTP/2 for calls with both directions open. Cloudflare names the client's version; `wrangler dev`
 * names HTTP/1.1 for every request, although it carries both directions.
 */
function isHttp1(request: Request | undefined): boolean {
  const { httpProtocol = "" } = (request?.cf ?? {}) as { httpProtocol?: string };
  return (
    request !== undefined &&
    httpProtocol.startsWith("HTTP/1") &&
    !isLoopback(new URL(request.url).hostname)
  );
}

const oneWay = () =>
  new HubError(
    "unimplemented",
    "A session needs a transport that carries both directions at once, and hello and confirm within 5 seconds each. Use Subscribe and Publish.",
  );

/**
 * Connects the call's two streams with the socket. The end of the queue, by either side, ends everything: timers,
 * socket and the reading of requests. Responses are in the order of the hub's records; a call that fails before it is
 * sent is answered at once, and may overtake answers of earlier calls.
 */
class SessionBridge {
  readonly queue: Queue<SessionResponse>;
  readonly #socket: WebSocket;
  readonly #limits: Limits;
  readonly #hello: Hello;
  readonly #token = crypto.randomUUID();
  readonly #open = new Map<number, OpenCall>();
  readonly #timers: ReturnType<typeof setInterval>[];
  #isConfirmed = false;
  /** Whether the relay reads reports of what the caller has taken, so that streams of methods wait for it. */
  #isReporting = false;
  #unreported = 0;
  /** Whether the caller has ended its direction. */
  #isHalfClosed = false;

  constructor({ socket, limits }: HubSocket, hello: Hello) {
    this.#socket = socket;
    this.#limits = limits;
    this.#hello = hello;
    this.#timers = [
      setInterval(() => this.queue.push([HEARTBEAT], SMALL_MESSAGE_BYTES), HEARTBEAT_MS),
      setTimeout(() => this.#isConfirmed || this.queue.end(oneWay()), CONFIRM_MS),
    ];
    this.queue = new Queue(
      () => this.#close(),
      (characters) => this.#report(characters),
    );
    socket.addEventListener("message", ({ data }) => this.#receive(data as string));
    socket.addEventListener("close", ({ code, reason }) => this.queue.end(endingOf(code, reason)));
    socket.accept();
  }

  /** Sockets have no backpressure: without reports a stream would overtake a caller that reads at full speed. */
  #report(characters: number): void {
    this.#unreported += characters;
    if (!this.#isReporting || this.queue.hasEnded || this.#unreported < REPORT_EACH) return;
    this.#socket.send(String(this.#unreported));
    this.#unreported = 0;
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    closeQuietly(this.#socket);
  }

  /** Sends the caller's requests to the hub, in order, until the caller ends its direction. Never rejects. */
  async readRequests(source: AsyncIterator<SessionRequest>): Promise<void> {
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        const { done, value } = await source.next();
        if (this.queue.hasEnded) return;
        if (done) return this.#halfClose();
        if (this.#isConfirmed) this.#send(value);
        else this.#confirm(value);
      }
    } catch (error) {
      this.queue.end(error);
    }
  }

  /** Checks the caller's second message. Throws `unimplemented`, also if it is a call that was sent too early. */
  #confirm({ kind }: SessionRequest): void {
    if (kind.case !== "confirm" || kind.value !== this.#token) throw oneWay();
    this.#isConfirmed = true;
  }

  /**
   * Called when the caller has ended its direction. Open calls are still answered; messages of rooms end with the last
   * answer.
   */
  #halfClose(): void {
    if (!this.#isConfirmed) return this.queue.end(oneWay());
    this.#isHalfClosed = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#isHalfClosed && this.#open.size === 0) this.queue.end();
  }

  /** A call that cannot be sent fails alone, and the session continues. */
  #send(request: SessionRequest): void {
    const { id, kind } = request;
    try {
      const text = checkText(textOf(request), this.#limits);
      if (kind.case !== "cancel") this.#begin({ id, kind });
      this.#socket.send(text);
    } catch (error) {
      this.queue.push([failureResponse(id, error)], SMALL_MESSAGE_BYTES);
    }
  }

  /** Throws `duplicate_id`, because two open calls with one id could not be distinguished. */
  #begin(call: OpenCall): void {
    if (this.#open.has(call.id)) throw new HubError("duplicate_id", "A call with this id is open.");
    this.#open.set(call.id, call);
  }

  /** An error ends the session: thrown by a listener it would be lost, and the session would wait for ever. */
  #receive(text: string): void {
    try {
      const responses = recordsIn(text).flatMap((record) => this.#responseTo(record) ?? []);
      if (responses.length === 0) this.#report(text.length);
      this.queue.push(responses, text.length);
      this.#endIfDone();
    } catch (error) {
      this.queue.end(error);
    }
  }

  /**
   * The response for one record, if the caller gets one. Requests of the hub are refused, as in streams: a session
   * cannot answer them.
   */
  #responseTo(record: RoomRecord): SessionResponse | undefined {
    if (isConnected(record)) return this.#ready(record);
    if (isRequest(record)) return void refuseRequest(this.#socket, record);
    if (record.method !== undefined) return eventResponse(record, this.#hello.presence);
    return this.#answer(record as CallAnswer);
  }

  /** The first response; its `confirm` is the token that the caller has to send back. */
  #ready({ params }: RoomRecord): SessionResponse {
    const { connectionId, userId, reportsTaken } = params as Greeting;
    this.#isReporting = reportsTaken === true;
    const value = { connectionId, userId, confirm: this.#token };
    return create(SessionResponseSchema, { kind: { case: "ready", value } });
  }

  /** An answer without an id belongs to no call. Since texts are checked before, it means a fault of this server. */
  #answer(answer: CallAnswer): SessionResponse | undefined {
    if (answer.id === null) throw new HubError("internal", "A call was not understood.");
    const open = this.#open.get(answer.id);
    if (!open) return undefined;
    this.#open.delete(open.id);
    return answerResponse(open, answer);
  }
}

interface Greeting {
  readonly connectionId: string;
  readonly userId: string;
  readonly reportsTaken?: true;
}

const HEARTBEAT = create(SessionResponseSchema, { kind: heartbeat() });
