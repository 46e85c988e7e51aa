// How much of an event stream its reader has taken, for the relay: nothing pushes back on a socket between objects, so
// that a hub's stream would not notice a slow reader.

import { QUEUED_BYTES } from "../stream/slow-reader-queue.ts";

/** Characters of frames between two reports: a sixteenth of what may wait. */
const REPORT_EACH = QUEUED_BYTES / 16;

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

  /** Characters, as the relay counts: bytes may be three times as many. */
  get mayWrite(): boolean {
    return this.#queuedCharacters <= QUEUED_BYTES;
  }

  /** A chunk is about to be put into the queue. */
  add(bytes: number, characters: number): void {
    this.#chunks.push({ bytes, characters });
    this.#queuedBytes += bytes;
    this.#queuedCharacters += characters;
  }

  /** The queue has so many bytes now. */
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
