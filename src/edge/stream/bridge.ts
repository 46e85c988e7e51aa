// A room's socket on behalf of a client that speaks something else: objects hold nothing but hibernatable sockets, and
// the worker, which pays for work and not for waiting, turns what comes into whatever the client understands.

import { CLOSE, HubError, shouldReconnect } from "../../model/errors.ts";
import { logError, logWarning } from "../../model/logger.ts";
import { isQuestion, placeAfter, type Heard } from "../sse/sse-events.ts";
import { frameOf, type Frame } from "./shared-frames.ts";

/** Opens a socket, going on after this position. Throws where the object cannot be had. */
export type Open = (since: string | undefined) => Promise<WebSocket>;

export interface BridgeOptions {
  /** As a topic. */
  readonly room: string;
  readonly open: Open;
  /** What the object says, in order; questions in it have been refused. */
  heard(frame: Frame): void;
  /** Nothing more will come. */
  ended(code: number, reason: string): void;
}

/** Pauses before the bridge is mended; after the last it is given up. */
const MENDING_MS = [100, 1_000, 4_000];

/** Cannot answer: who asks is told so at once, rather than left to wait. */
const NO_ANSWERS = { code: -32601, message: "An event stream cannot answer." };

export class Bridge {
  readonly #options: BridgeOptions;
  #socket: WebSocket | undefined;
  #position: string | undefined;
  #failures = 0;
  #isOver = false;

  constructor(options: BridgeOptions, since: string | undefined) {
    this.#options = options;
    this.#position = since;
  }

  /** Throws what opening throws: what cannot begin is refused, and not mended. */
  async begin(): Promise<void> {
    this.#listen(await this.#options.open(this.#position));
  }

  /** The client is gone. */
  end(): void {
    this.#isOver = true;
    closeQuietly(this.#socket);
  }

  #listen(socket: WebSocket): void {
    this.#socket = socket;
    socket.accept();
    if (this.#isOver) return closeQuietly(socket);
    socket.addEventListener("message", ({ data }) => this.#take(socket, data as string));
    socket.addEventListener("close", ({ code, reason }) => void this.#closed(code, reason));
  }

  /** Nothing may be thrown where a socket is heard: it would say nothing more, and nobody would know. */
  #take(socket: WebSocket, text: string): void {
    if (this.#isOver) return;
    try {
      this.#hear(socket, text);
    } catch (error) {
      logError("bridge_failed", { error });
      this.end();
      this.#options.ended(CLOSE.failed, "What the room said could not be told.");
    }
  }

  #hear(socket: WebSocket, text: string): void {
    this.#failures = 0;
    const frame = frameOf(this.#options.room, text);
    if (frame.alike) this.#position = frame.alike.position ?? this.#position;
    else for (const record of frame.records) this.#step(socket, record);
    this.#options.heard(frame);
  }

  #step(socket: WebSocket, record: Heard): void {
    const place = placeAfter(this.#options.room, record, this.#position);
    this.#position = place ?? this.#position;
    if (isQuestion(record)) refuse(socket, record);
  }

  /** What broke inside is mended from where it was; what the object ended is over. */
  async #closed(code: number, reason: string): Promise<void> {
    if (this.#isOver) return;
    const pause = MENDING_MS[this.#failures++];
    const isMended =
      pause !== undefined &&
      code !== CLOSE.expired &&
      shouldReconnect(code) &&
      (await this.#mend(pause));
    if (isMended || this.#isOver) return;
    this.#isOver = true;
    this.#options.ended(code, reason);
  }

  async #mend(pause: number): Promise<boolean> {
    await scheduler.wait(pause);
    if (this.#isOver) return true;
    try {
      this.#listen(await this.#options.open(this.#position));
      return true;
    } catch (error) {
      logWarning("bridge_unmended", { error });
      const next = MENDING_MS[this.#failures++];
      return next !== undefined && this.#mend(next);
    }
  }
}

/** The socket that an object let in. Throws what it refused with. */
export async function socketIn(response: Response): Promise<WebSocket> {
  if (response.webSocket) return response.webSocket;
  const { error } = await response.json<{ error: { code: string; message: string } }>();
  throw new HubError<string>(error.code, error.message);
}

export function refuse(socket: WebSocket, { id }: Heard): void {
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, error: NO_ANSWERS }));
}

export function closeQuietly(socket: WebSocket | undefined): void {
  try {
    socket?.close(1000);
  } catch {
    // Closed already.
  }
}
