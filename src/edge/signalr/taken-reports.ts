// Reports to the relay how much of an event stream its reader has taken: sockets between worker and object have no
// back-pressure, so that a hub method's stream would otherwise not notice a slow reader.

import { REPORT_EACH } from "../../model/wire-constants.ts";
import { QUEUED_BYTES } from "../stream/slow-reader-queue.ts";

export class TakenReports {
  readonly #report: (characters: number) => void;
  /** Chunks in the response's queue, oldest first: their bytes, and the characters of the frame inside. */
  readonly #chunks: { readonly bytes: number; readonly characters: number }[] = [];
  #queuedBytes = 0;
  #queuedCharacters = 0;
  #unreported = 0;

  /** `report` gets the characters taken since the last report. */
  constructor(report: (characters: number) => void) {
    this.#report = report;
  }

  /** Whether the queue is below its limit. In characters, as the relay counts: bytes may be three times as many. */
  get mayWrite(): boolean {
    return this.#queuedCharacters <= QUEUED_BYTES;
  }

  /** Called when a chunk is about to be put into the queue. */
  add(bytes: number, characters: number): void {
    this.#chunks.push({ bytes, characters });
    this.#queuedBytes += bytes;
    this.#queuedCharacters += characters;
  }

  /** Called with the number of bytes in the queue now; the chunks before them have been taken. */
  look(queuedBytes: number): void {
    while (this.#queuedBytes > queuedBytes) {
      const { bytes, characters } = this.#chunks.shift()!;
      this.#queuedBytes -= bytes;
      this.#queuedCharacters -= characters;
      this.#unreported += characters;
    }
    if (this.#unreported < REPORT_EACH) return;
    this.#report(this.#unreported);
    this.#unreported = 0;
  }
}
