// Collects messages of the same moment into one frame: Cloudflare bills by frame, and each frame has an overhead.

import { MESSAGE_BYTES, MESSAGES_PER_FRAME } from "../../model/wire-constants.ts";
import { Timer } from "../platform/timer.ts";
import { bytesOf } from "./wire.ts";

export interface OutgoingMessage {
  /** JSON. */
  readonly text: string;
  /** Whether it expects a response. The server answers a batch only as a whole, so a frame has one request at most. */
  readonly isRequest?: boolean;
  /** Whether it may wait one turn of the event loop for more messages, like the items of an upload. */
  readonly mayWait?: boolean;
}

/**
 * Messages are sent in the order of `push`, at the end of the current microtask or, if all of them may wait, of the
 * current turn of the event loop. A frame stays within the server's limits of messages and bytes.
 */
export class SendQueue {
  readonly #send: (frame: string) => void;
  #texts: string[] = [];
  #bytes = 0;
  #hasRequest = false;
  readonly #timer = new Timer();
  /** Number of the current frame. A microtask flushes only the frame that it was queued for. */
  #frame = 0;

  constructor(send: (frame: string) => void) {
    this.#send = send;
  }

  push({ text, isRequest = false, mayWait = false }: OutgoingMessage): void {
    const bytes = bytesOf(text) + SEPARATOR_BYTES;
    const isFull =
      this.#texts.length === MESSAGES_PER_FRAME ||
      this.#bytes + bytes >= MESSAGE_BYTES ||
      (isRequest && this.#hasRequest);
    if (isFull) this.flush();
    this.#texts.push(text);
    this.#bytes += bytes;
    this.#hasRequest ||= isRequest;
    const frame = this.#frame;
    if (!mayWait) queueMicrotask(() => frame === this.#frame && this.flush());
    else if (!this.#timer.isSet) this.#timer.set(() => this.flush(), 0);
  }

  /** Sends the queued messages now: a single one alone, several as a JSON array. */
  flush(): void {
    const texts = this.#texts;
    this.clear();
    if (texts.length > 0) this.#send(texts.length === 1 ? texts[0]! : `[${texts.join(",")}]`);
  }

  /** Drops the queued messages, because their connection is lost. */
  clear(): void {
    this.#timer.clear();
    this.#texts = [];
    this.#bytes = 0;
    this.#hasRequest = false;
    this.#frame++;
  }
}

/** Upper bound for each message: its comma, and its share of the two brackets. */
const SEPARATOR_BYTES = 2;
