// A connection from the worker to one object that outlives its socket: after a break inside the network the bridge
// opens another socket, and the stream that reads from it only notices a pause.

import { CLOSE, shouldReconnect } from "../../model/errors.ts";
import { logError, logWarning } from "../../model/logger.ts";
import { closeQuietly } from "./room-socket.ts";

interface BridgeOptions {
  /** Opens a socket that continues after the last one. Throws if the object refuses or cannot be reached. */
  open(): Promise<WebSocket>;
  /** Called with each frame of the object, in order. Answers to it are sent on `socket`. */
  received(text: string, socket: WebSocket): void;
  /** Called at most once: after the object closed the socket, or after the last attempt; never after `end`. */
  ended(code: number, reason: string): void;
}

/** Pauses before each attempt to reconnect; a frame received in between starts the list again. */
const RECONNECT_MS = [100, 1_000, 4_000];

/**
 * States: connecting, open, waiting to reconnect, over. `end` leads to over from each of them; frames that arrive later
 * are dropped, so that a consumer that has ended is never called again.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  #socket: WebSocket | undefined;
  #failures = 0;
  #isOver = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Throws what `open` throws: the first attempt is not repeated, so that the stream can be refused. */
  async begin(): Promise<void> {
    this.#listen(await this.#options.open());
  }

  /** Closes the socket, also one that is still being opened. May be called again. */
  end(): void {
    this.#isOver = true;
    closeQuietly(this.#socket);
  }

  /**
   * The stream may have ended while the socket was being opened: then the socket is closed. A socket must be accepted
   * before it can be closed.
   */
  #listen(socket: WebSocket): void {
    this.#socket = socket;
    socket.accept();
    if (this.#isOver) return closeQuietly(socket);
    socket.addEventListener("message", ({ data }) => this.#receive(socket, data as string));
    socket.addEventListener("close", ({ code, reason }) => void this.#closed(code, reason));
  }

  /**
   * An error thrown by a listener would be lost in the engine: no event would follow, and the stream would wait for
   * ever. It is logged, and ends the stream.
   */
  #receive(socket: WebSocket, text: string): void {
    if (this.#isOver) return;
    try {
      this.#failures = 0;
      this.#options.received(text, socket);
    } catch (error) {
      logError("bridge_failed", { error });
      this.end();
      this.#options.ended(CLOSE.failed, "A message of the room could not be forwarded.");
    }
  }

  /**
   * Decides by the close code whether to reconnect. Not after an expired token, although clients do reconnect after
   * that code: they get another token, and a bridge has none.
   */
  async #closed(code: number, reason: string): Promise<void> {
    if (this.#isOver) return;
    const pause = RECONNECT_MS[this.#failures++];
    const isOpenAgain =
      pause !== undefined &&
      code !== CLOSE.expired &&
      shouldReconnect(code) &&
      (await this.#reconnect(pause));
    if (isOpenAgain || this.#isOver) return;
    this.#isOver = true;
    this.#options.ended(code, reason);
  }

  /**
   * Returns true if nothing more need be done: the socket is open again, or the stream has ended meanwhile. A refusal
   * is retried like a network error.
   */
  async #reconnect(pause: number): Promise<boolean> {
    await scheduler.wait(pause);
    if (this.#isOver) return true;
    try {
      this.#listen(await this.#options.open());
      return true;
    } catch (error) {
      logWarning("bridge_unmended", { error });
      const next = RECONNECT_MS[this.#failures++];
      return next !== undefined && this.#reconnect(next);
    }
  }
}
