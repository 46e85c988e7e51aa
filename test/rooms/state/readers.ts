// One reader of a room's state for each protocol and transport: it keeps a copy by snapshots and patches alone, comes
// back after a cut, and notes what must not happen.

import { Standing_Outcome as Outcome } from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { applyPatch } from "../../../src/model/merge-patch.ts";
import type { StateChange } from "../../../src/model/state-wire.ts";
import { isAfter, parsePosition } from "../../../src/model/topic.ts";
import { listen as subscribe, type Listener } from "../../edge/grpc/client.ts";
import { Client, enter, token, upgrade, type Frame } from "../client.ts";
import { memberOf, type Member } from "../relay/members.ts";
import { EventReader } from "./event-reader.ts";

export interface Place {
  readonly hub: string;
  /** As a topic. */
  readonly room: string;
  readonly user: string;
}

/** The copy that any client would keep. */
export class Copy {
  state: unknown;
  position: string | undefined;
  readonly violations: string[] = [];
  /** Snapshots and patches that were applied. */
  changes = 0;

  /** A snapshot, or the room goes on from where the copy is. */
  begin(state: unknown, position: string, recovered: boolean): void {
    if (state !== undefined) [this.state, this.position] = [state, position];
    else if (!recovered) this.violations.push(`[ST6] neither state nor recovery at ${position}`);
    if (state !== undefined) this.changes += 1;
  }

  change({ state, patch }: StateChange, position: string): void {
    if (state === undefined && this.position === undefined)
      this.violations.push(`[F13] a patch before the first snapshot, at ${position}`);
    if (state === undefined && this.#epochOf(position) !== this.#epochOf(this.position))
      this.violations.push(`[ST6] a patch of another epoch, at ${position}`);
    if (state === undefined && this.position !== undefined && !isAfter(position, this.position))
      this.repeated.push(position);
    this.state = state === undefined ? applyPatch(this.state, patch) : state;
    this.position = position;
    this.changes += 1;
  }

  /** Patches that came again: harmless, and nothing that a socket alone should see. */
  readonly repeated: string[] = [];

  /** `added` says what the count was after its action. */
  added(count: number): void {
    const { count: own = -1 } = (this.state ?? {}) as { count?: number };
    if (own < count) this.violations.push(`[ST7] a message of ${count}, and a copy of ${own}`);
  }

  #epochOf = (position: string | undefined) => position && parsePosition(position).epoch;
}

export abstract class Reader {
  readonly copy = new Copy();
  readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  /** Comes, or comes back. Throws where it is refused. */
  abstract enter(): Promise<void>;
  /** As a network that breaks. */
  abstract cut(): void;
}

const isState = ({ method }: Frame) => method === "$/state";

/** A frame of JSON-RPC about the room. */
function take(copy: Copy, { room }: Place, frame: Frame): void {
  if (frame.room !== room) return;
  if (isState(frame)) copy.change(frame.params, frame.position!);
  if (frame.method === "added") copy.added(frame.params[0]);
}

class RoomSocket extends Reader {
  #client: Client | undefined;

  async enter(): Promise<void> {
    const { hub, room, user } = this.place;
    const { position } = this.copy;
    const client = await enter(`${hub}/${room}`, { user, ...(position && { since: position }) });
    this.#client = client;
    const { params } = client.hello;
    this.copy.begin(params.state, params.position, params.recovered);
    follow(client, (frame) => this.#client === client && take(this.copy, this.place, frame));
  }

  cut(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
  }
}

/** All that has come, and what comes. */
function follow(client: Client, heard: (frame: Frame) => void): void {
  for (const frame of client.heard) heard(frame);
  client.socket.addEventListener("message", ({ data }) => {
    for (const frame of [JSON.parse(data as string)].flat() as Frame[]) heard(frame);
  });
}

class HubSocket extends Reader {
  #client: Client | undefined;

  async enter(): Promise<void> {
    const { hub, room, user } = this.place;
    const { webSocket } = await upgrade(`/hubs/${hub}/rpc?access_token=${await token(user)}`);
    if (!webSocket) throw new Error("Refused.");
    const client = new Client(webSocket);
    this.#client = client;
    follow(client, (frame) => this.#client === client && take(this.copy, this.place, frame));
    const since = this.copy.position;
    const lost = client.closed.then(() => ({ error: { message: "Lost." } }) as Frame);
    const joined = client.call("$/join", { room, ...(since && { since }) });
    const { error } = await Promise.race([joined, lost]);
    if (error) throw new Error(error.message);
  }

  cut(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
  }
}

/** Its connection is in the room by its token; it resumes nothing. */
class SignalRReader extends Reader {
  readonly #kind: string;
  #member: Member | undefined;
  #number = 0;

  constructor(place: Place, kind: string) {
    super(place);
    this.#kind = kind;
  }

  async enter(): Promise<void> {
    const number = ++this.#number;
    this.copy.position = undefined;
    const { room } = this.place;
    const called = (method: string, [first, second, third]: readonly unknown[]) => {
      if (number !== this.#number) return;
      if (method === "RoomState") this.copy.change({ state: second }, third as string);
      if (method === "RoomPatch") this.copy.change({ patch: second }, third as string);
      if (method === "Added") this.copy.added(first as number);
    };
    const who = { ...this.place, claims: { channels: [room] }, called };
    this.#member = await memberOf(this.#kind, who);
  }

  cut(): void {
    this.#number += 1;
    this.#member?.end();
  }
}

class EventStreamReader extends Reader {
  #events: EventReader | undefined;

  async enter(): Promise<void> {
    const { hub, room, user } = this.place;
    const { copy } = this;
    const path = `/hubs/${hub}/groups/${room.slice("group:".length)}`;
    const events = new EventReader(path, { user, lastEventId: copy.position });
    this.#events = events;
    await events.begin(({ event, id, data }) => {
      if (this.#events !== events) return;
      if (["connected", "recovered", "reset"].includes(event))
        copy.begin(data.state, data.position, data.recovered);
      if (event === "state") copy.change(data, id!);
      if (event === "added") copy.added(data[0]);
    });
  }

  cut(): void {
    this.#events?.end();
    this.#events = undefined;
  }
}

class Subscriber extends Reader {
  #stream: Listener | undefined;

  async enter(): Promise<void> {
    const { hub, room: topic, user } = this.place;
    const topics = [{ topic, position: this.copy.position ?? "" }];
    const stream = await subscribe({ hub, topics }, { user });
    this.#stream = stream;
    await this.#take(stream);
    void this.#read(stream);
  }

  async #read(stream: Listener): Promise<void> {
    try {
      while (this.#stream === stream) await this.#take(stream);
    } catch {
      // It was cut, or its room has ended it.
    }
  }

  async #take(stream: Listener): Promise<void> {
    const { case: name, value } = await stream.next();
    if (this.#stream !== stream) return;
    if (name === "standing") {
      const state = value.stateJson === "" ? undefined : JSON.parse(value.stateJson);
      this.copy.begin(state, value.position, value.outcome === Outcome.RECOVERED);
    }
    if (name === "state") {
      const json = JSON.parse(value.change.value!) as unknown;
      const isWhole = value.change.case === "stateJson";
      this.copy.change(isWhole ? { state: json } : { patch: json }, value.position);
    }
  }

  cut(): void {
    this.#stream?.end();
    this.#stream = undefined;
  }
}

export const READERS: Readonly<Record<string, (place: Place) => Reader>> = {
  "JSON-RPC, one room": (place) => new RoomSocket(place),
  "JSON-RPC, a whole hub": (place) => new HubSocket(place),
  ...Object.fromEntries(
    [
      "SignalR, WebSockets, JSON",
      "SignalR, WebSockets, MessagePack",
      "SignalR, Server-Sent Events",
      "SignalR, long polling",
    ].map((kind) => [kind, (place: Place) => new SignalRReader(place, kind)]),
  ),
  "Server-Sent Events": (place) => new EventStreamReader(place),
  Connect: (place) => new Subscriber(place),
};
