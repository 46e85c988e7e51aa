// A connection of the worker to one object that outlives its socket: after a break inside the network the bridge opens
// another one, and the stream behind it notices nothing but a pause.

import { CLOSE, shouldReconnect } from "../../model/errors.ts";
import { logError, logWarning } from "../../model/logger.ts";
import { closeQuietly } from "./room-socket.ts";

interface BridgeOptions {
  /** Opens a socket that continues where the last one broke. Throws where the object refuses or is unreachable. */
  open(): Promise<WebSocket>;
  /** A frame of the object, in order. The socket is for answers to it. */
  received(text: string, socket: WebSocket): void;
  /** Called at most once, by the object's close or after the last attempt; never after `end`. */
  ended(code: number, reason: string): void;
}

/** Pauses before each attempt to reconnect; a frame received in between starts the list again. */
const RECONNECT_MS = [100, 1_000, 4_000];

/**
 * States: connecting, open, waiting to reconnect, over. `end` leads to over from each of them; whatever arrives later
 * is dropped, so that a consumer that has ended is never called again.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  #socket: WebSocket | undefined;
  #failures = 0;
  #isOver = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Throws what `open` throws: a stream that cannot begin is refused, and not retried here. */
  async begin(): Promise<void> {
    this.#listen(await this.#options.open());
  }

  /** Closes the socket, also one that is still being opened. May be called again. */
  end(): void {
    this.#isOver = true;
    closeQuietly(this.#socket);
  }

  /**
   * The stream may have ended while the socket was being opened; it is closed then, which needs it to be accepted
   * first.
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
   * Decides by the close code whether to reconnect. An expired token would be refused again, although its code invites
   * clients to come back: they bring another token, and a bridge has none.
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
   * Gives true where nothing more need be done: the socket is open again, or the stream has ended meanwhile. A refusal
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
