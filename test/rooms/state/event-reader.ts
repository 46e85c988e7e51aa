// A reader of a room's event stream that tells of each event, and may be cut.

import { exports } from "cloudflare:workers";
import { token } from "../client.ts";

export interface ReadEvent {
  readonly event: string;
  readonly id?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
  readonly data: any;
}

interface EventReaderOptions {
  readonly user: string;
  readonly lastEventId: string | undefined;
}

export class EventReader {
  readonly #path: string;
  readonly #options: EventReaderOptions;
  #reader: ReadableStreamDefaultReader<string> | undefined;

  constructor(path: string, options: EventReaderOptions) {
    [this.#path, this.#options] = [path, options];
  }

  /** Done when the first event has come. Throws where it is refused. */
  async begin(heard: (event: ReadEvent) => void): Promise<void> {
    const { user, lastEventId } = this.#options;
    const url = `https://edge.example${this.#path}?access_token=${await token(user)}`;
    const headers = {
      accept: "text/event-stream",
      ...(lastEventId && { "last-event-id": lastEventId }),
    };
    const response = await exports.default.fetch(url, { headers });
    if (response.status !== 200) throw new Error(`Refused: ${response.status}`);
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const events = this.#events(this.#reader);
    const first = await events.next();
    if (first.done) throw new Error("The stream has ended.");
    heard(first.value);
    void (async () => {
      for await (const event of events) heard(event);
    })().catch(() => {});
  }

  async *#events(reader: ReadableStreamDefaultReader<string>): AsyncGenerator<ReadEvent> {
    let text = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const blocks = (text + read.value).split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
        if (fields["event"])
          yield {
            ...fields,
            event: fields["event"],
            data: JSON.parse(fields["data"]),
          } as ReadEvent;
      }
    }
  }

  end(): void {
    void this.#reader?.cancel().catch(() => {});
  }
}
