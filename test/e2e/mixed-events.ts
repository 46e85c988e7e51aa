// A reader of events in the mixed crowd, over `fetch`: it does what EventSource does, with all rooms on one stream or
// with one, and looks at every id that comes.

import { heardAt } from "./mixed-placed.ts";
import { StreamMember } from "./mixed-stream.ts";

interface Told {
  readonly event: string;
  readonly id?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the room says
  readonly data: any;
}

export class EventMember extends StreamMember {
  #lastId: string | undefined;
  #positions: ReadonlyMap<string, string> = new Map();
  /** What no stream should say. */
  readonly wrong: string[] = [];

  protected override async listen(signal: AbortSignal): Promise<void> {
    const { endpoint, hub } = this.crowd;
    const [first = "", ...others] = this.rooms;
    const query = new URLSearchParams({ access_token: await endpoint.token(this.name) });
    if (others.length > 0) query.set("rooms", others.join());
    const headers = {
      accept: "text/event-stream",
      ...(this.#lastId !== undefined && { "last-event-id": this.#lastId }),
    };
    const url = `${this.proxy.url}/hubs/${hub}/groups/${first.slice("group:".length)}?${query}`;
    const response = await fetch(url, { headers, signal });
    if (!response.ok) this.wrong.push(`${response.status} ${await response.text()}`);
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
    if (fields["event"]) this.#tell({ ...fields, data: JSON.parse(fields["data"]) } as Told);
  }

  #tell({ event, id, data }: Told): void {
    const room = id === undefined ? undefined : this.#moved(id, data);
    if (room === undefined) return void this.wrong.push(`${event} ${id} ${JSON.stringify(data)}`);
    if (HELLOS.has(event)) {
      this.greeted.add(room);
      this.record(room).came(this.name, data);
    } else
      this.record(room).heard(this.name, heardAt(room, this.#positions.get(room)!, event, data));
  }

  /** The room that an event is of: the one whose position is another now, or the one that says hello. */
  #moved(id: string, data: { room?: string }): string | undefined {
    const now = this.rooms.length === 1 ? new Map([[this.rooms[0]!, id]]) : positionsIn(id);
    const moved = [...now].filter(([room, at]) => this.#positions.get(room) !== at);
    const room = typeof data.room === "string" ? data.room : undefined;
    [this.#lastId, this.#positions] = [id, now];
    if (moved.length > 1) return undefined;
    return room ?? moved[0]?.[0];
  }
}

const HELLOS: ReadonlySet<string> = new Set(["connected", "recovered", "reset"]);

const positionsIn = (id: string): Map<string, string> =>
  new Map(
    id.split(";").map((part) => {
      const equals = part.lastIndexOf("=");
      return [decodeURIComponent(part.slice(0, equals)), part.slice(equals + 1)] as const;
    }),
  );
