// A subscriber by SignalR, over each of its transports: joins by a method of the hub. With stateful reconnect its
// connection is resumed on another socket, as Microsoft's client does it; without, it joins again.

import { negotiate, type Negotiated, type Record } from "../relay/client.ts";
import { openWebSocket, Refused, type OpenLine, type SignalRLine } from "./signalr-line.ts";
import type { Site } from "./site.ts";
import { Subscriber, type Entry, type Parting, type Place, type Said } from "./subscriber.ts";
import { TextFollower } from "./text-follower.ts";
import type { PlainLog } from "./plain-log.ts";

const RS = "\u001e";
const isNumbered = ({ type }: Record): boolean => type >= 1 && type <= 5;

/** The client's part of stateful reconnect. */
class Buffer {
  readonly #unconfirmed: [number: number, message: string][] = [];
  #sent = 0;
  #next = 1;
  received = 0;
  isResuming = false;

  keep(message: string): void {
    this.#unconfirmed.push([++this.#sent, message]);
  }

  /** What is sent first on another socket. */
  get again(): string[] {
    const first = this.#unconfirmed[0]?.[0] ?? this.#sent + 1;
    const sequence = JSON.stringify({ type: 9, sequenceId: first });
    return [sequence, ...this.#unconfirmed.map(([, message]) => message)];
  }

  /** Whether the message counts: it is no repetition. */
  takes(record: Record): boolean {
    const { type, sequenceId = 0 } = record;
    if (this.isResuming && type !== 9) return false;
    if (type === 9) [this.#next, this.isResuming] = [sequenceId, false];
    if (type === 8)
      while (this.#unconfirmed.length > 0 && this.#unconfirmed[0]![0] <= sequenceId)
        this.#unconfirmed.shift();
    if (!isNumbered(record)) return false;
    const number = this.#next++;
    if (number <= this.received) return false;
    this.received = number;
    return true;
  }
}

export class SignalRSubscriber extends Subscriber {
  readonly speaks = true;
  readonly repeats = false;
  readonly followers: ReadonlyMap<string, TextFollower>;
  readonly #isStateful: boolean;
  readonly #openLine: OpenLine;
  #negotiated: Negotiated | undefined;
  #buffer = new Buffer();
  #wire: SignalRLine | undefined;
  /** Rooms that its connection is in, and those that it may be in. */
  readonly #joined = new Set<string>();
  readonly #joining = new Set<string>();
  #answers = new Map<string, (record: Record) => void>();
  #count = 0;

  constructor(
    site: Site,
    {
      logs,
      isStateful = false,
      openLine = openWebSocket,
      ...place
    }: Place & {
      readonly logs: ReadonlyMap<string, PlainLog>;
      readonly isStateful?: boolean;
      readonly openLine?: OpenLine;
    },
  ) {
    super(site, place);
    [this.#isStateful, this.#openLine] = [isStateful, openLine];
    this.followers = new Map(
      place.rooms.map((room) => [
        room,
        new TextFollower(`${this.name} in ${room}`, logs.get(room)!),
      ]),
    );
  }

  protected async open(): Promise<Entry> {
    const isAgain = this.#negotiated !== undefined && this.#isStateful;
    if (!isAgain) await this.#anew();
    this.#buffer.isResuming = isAgain;
    const shaken = Promise.withResolvers<void>();
    let isShaken = isAgain;
    const line = await this.#open((data) => {
      for (const text of data.split(RS).slice(0, -1))
        if (isShaken) {
          this.#take(line, JSON.parse(text));
          // Once the server's Sequence has come.
          if (isAgain && !this.#buffer.isResuming) shaken.resolve();
        } else {
          isShaken = true;
          shaken.resolve();
        }
    });
    this.#wire = line;
    void line.gone.then(() => this.site.note(`  the line of ${this.name} is gone`));
    if (isAgain) for (const one of this.#buffer.again) line.send(one + RS);
    else line.send(JSON.stringify({ protocol: "json", version: this.#isStateful ? 2 : 1 }) + RS);
    return { line, entered: shaken.promise.then(() => this.#joinAll(line)) };
  }

  async #open(take: (data: string) => void): Promise<SignalRLine> {
    const { site, user } = this;
    const id = this.#negotiated!.connectionToken;
    const query = new URLSearchParams({ id, access_token: await site.token(user) });
    const opening = { path: `/hubs/${site.hub}?${query}`, take, passing: site.passing };
    return this.#openLine(opening).catch((error: unknown) => {
      if (error instanceof Refused && error.status === 404) this.#negotiated = undefined;
      throw error;
    });
  }

  async #anew(): Promise<void> {
    const { site, user } = this;
    const claims = { tid: site.tenant, iat: Math.floor(Date.now() / 1_000) };
    const query = this.#isStateful ? "useStatefulReconnect=true" : "";
    const given = await negotiate(site.hub, { user, claims, query });
    this.#negotiated = given;
    this.id = given.connectionId;
    site.note(`  ${this.name} is ${this.id}`);
    this.#buffer = new Buffer();
    this.#joined.clear();
    this.#joining.clear();
    this.#answers = new Map();
  }

  async #joinAll(wire: SignalRLine): Promise<void> {
    for (const room of this.rooms) {
      if (this.#joined.has(room)) continue;
      const follower = this.followers.get(room)!;
      if (!this.#joining.has(room)) follower.join(this.id!);
      this.#joining.add(room);
      // oxlint-disable-next-line no-await-in-loop -- one room after another
      const { error } = await this.#call(wire, "Join", [room.slice("group:".length)]);
      if (wire.isGone) return;
      if (error !== undefined) return wire.close(1001);
      follower.joined();
      this.#joined.add(room);
    }
  }

  /** Its answer, on this socket or a later one. */
  async #call(wire: SignalRLine, target: string, args: readonly unknown[]): Promise<Record> {
    const invocationId = `${this.#count++}`;
    const message = JSON.stringify({ type: 1, invocationId, target, arguments: args });
    const answer = new Promise<Record>((resolve) => void this.#answers.set(invocationId, resolve));
    if (this.#isStateful) this.#buffer.keep(message);
    wire.send(message + RS);
    return Promise.race([answer, wire.gone.then(() => ({ type: 3, error: "Lost." }))]);
  }

  #take(wire: SignalRLine, record: Record): void {
    // The server has ended it, or knows it no more and takes the socket for that of a new client.
    if (record.type === 7 || record.type === undefined) this.#negotiated = undefined;
    if (record.type === undefined) return wire.close(1001);
    if (this.#isStateful && !this.#buffer.takes(record)) return;
    if (record.type === 3) this.#answers.get(record.invocationId!)?.(record);
    if (record.target === "Said") this.#hear(record.arguments![0] as string);
    if (this.#isStateful && this.site.dice.below(3) === 0)
      wire.send(JSON.stringify({ type: 8, sequenceId: this.#buffer.received }) + RS);
  }

  /** Texts begin with their room. */
  #hear(text: string): void {
    this.followers.get(text.split(" ")[0]!)?.hear(text);
  }

  override async part(how: Parting): Promise<void> {
    if (how === "left") this.#wire?.send(JSON.stringify({ type: 7 }) + RS);
    if (how === "left") this.#negotiated = undefined;
    await super.part(how);
  }

  override async say({ room, text, toOthers }: Said): Promise<boolean> {
    const args = [room.slice("group:".length), text];
    const target = toOthers ? "SayOthers" : "Say";
    return (await this.#call(this.#wire!, target, args)).error === undefined;
  }
}
