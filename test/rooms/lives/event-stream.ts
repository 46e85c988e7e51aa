// The reader of a stream of events.

import type { Line } from "./subscriber.ts";

export interface ReadEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data: string;
}

export class EventStream implements Line {
  readonly gone: Promise<void>;
  isGone = false;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #go!: () => void;

  /** `take` is called with each event that has data, until the stream is gone. */
  constructor(body: ReadableStream<Uint8Array>, take: (event: ReadEvent) => void) {
    this.gone = new Promise((resolve) => (this.#go = resolve));
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
    void this.#read(take)
      .catch(() => {})
      .finally(() => this.drop());
  }

  async #read(take: (event: ReadEvent) => void): Promise<void> {
    let text = "";
    for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
      const blocks = (text + read.value).replaceAll("\r\n", "\n").split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
        if (!this.isGone && fields["data"]) take(fields as unknown as ReadEvent);
      }
    }
  }

  drop(): void {
    this.isGone = true;
    this.#go();
  }

  close(): void {
    this.drop();
    void this.#reader.cancel().catch(() => {});
  }
}
