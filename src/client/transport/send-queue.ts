// Messages of one moment leave as one frame: frames are what Cloudflare counts, and what costs time on the way.

import { MESSAGE_BYTES, MESSAGES_PER_FRAME } from "../../model/wire-constants.ts";
import { Timer } from "./timer.ts";
import { bytesOf } from "./wire.ts";

export interface Parcel {
  readonly text: string;
  /** Wants an answer. A batch is answered when all of it is, so a frame holds one of these at most. */
  readonly isRequest?: boolean;
  /** May wait a turn of the loop for company, as the items of an upload do. */
  readonly isPatient?: boolean;
}

export class Outbox {
  readonly #send: (frame: string) => void;
  #texts: string[] = [];
  #bytes = 0;
  #hasRequest = false;
  readonly #timer = new Timer();
  /** Counts frames, so that a late wake-up leaves younger messages alone. */
  #frames = 0;

  constructor(send: (frame: string) => void) {
    this.#send = send;
  }

  push({ text, isRequest = false, isPatient = false }: Parcel): void {
    const bytes = bytesOf(text) + SEPARATOR_BYTES;
    if (!this.#fits(bytes, isRequest)) this.flush();
    this.#texts.push(text);
    this.#bytes += bytes;
    this.#hasRequest ||= isRequest;
    this.#schedule(isPatient);
  }

  #fits(bytes: number, isRequest: boolean): boolean {
    return (
      this.#texts.length < MESSAGES_PER_FRAME &&
      this.#bytes + bytes < MESSAGE_BYTES &&
      !(isRequest && this.#hasRequest)
    );
  }

  #schedule(isPatient: boolean): void {
    if (isPatient) {
      if (!this.#timer.isSet) this.#timer.set(() => this.flush(), 0);
      return;
    }
    const frame = this.#frames;
    queueMicrotask(() => {
      if (frame === this.#frames) this.flush();
    });
  }

  flush(): void {
    const texts = this.#texts;
    this.clear();
    if (texts.length > 0) this.#send(texts.length === 1 ? texts[0]! : `[${texts.join(",")}]`);
  }

  /** The connection is lost, and what waited for it with it. */
  clear(): void {
    this.#timer.clear();
    this.#texts = [];
    this.#bytes = 0;
    this.#hasRequest = false;
    this.#frames++;
  }
}

/** A comma each, and two brackets: counted once too often. */
const SEPARATOR_BYTES = 2;
