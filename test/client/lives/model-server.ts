// The modelled server: admits clients, keeps rooms, and answers calls. Chance decides when frames arrive, which answers
// come late, and what is refused for now.

import type { WebSocketClass } from "../../../src/client/index.ts";
import type { Chance } from "../../support/seed.ts";
import { HELLO, type SentMessage } from "../server.ts";
import { LinkedSocket, ModelLink } from "./model-link.ts";
import { ModelRoom } from "./model-room.ts";
import { Questions } from "./questions.ts";

type Params = Record<string, unknown> & { room: string };
type Answer = { readonly result: unknown } | { readonly error: object } | undefined;

const refusal = (code: string) => ({ error: { code: -32_003, message: "No.", data: { code } } });
const OF_THE_MOMENT = ["rate_limited", "unavailable"];

export class ModelServer {
  readonly chance: Chance;
  readonly links: ModelLink[] = [];
  readonly rooms = new Map<string, ModelRoom>();
  /** How often each call ran, by its number. */
  readonly runs = new Map<number, number>();
  /** Results of calls that had a key: such a call runs once. */
  readonly #results = new Map<string, Answer>();
  readonly questions: Questions;
  readonly WebSocket: WebSocketClass;
  /** Whether calls are refused for now, answered late or never. */
  isCalm = false;
  #epochs = 0;

  constructor(chance: Chance, roomNames: readonly string[]) {
    this.chance = chance;
    this.questions = new Questions(chance);
    for (const name of roomNames) this.rooms.set(name, new ModelRoom(name, this.#nextEpoch()));
    const add = (socket: LinkedSocket) => {
      socket.link = new ModelLink(`c-${this.links.length + 1}`, socket);
      this.links.push(socket.link);
    };
    this.WebSocket = class extends LinkedSocket {
      constructor(url: string) {
        super(url);
        add(this);
      }
    };
  }

  #nextEpoch = (): string => `e${++this.#epochs}`;

  room(name: string): ModelRoom {
    return this.rooms.get(name)!;
  }

  /** The newest link, if its socket is not closed. */
  get link(): ModelLink | undefined {
    const link = this.links.at(-1);
    return link && link.socket.readyState < 2 ? link : undefined;
  }

  get waiting(): ModelLink | undefined {
    return this.link?.socket.readyState === 0 ? this.link : undefined;
  }

  admit(link: ModelLink): void {
    const { socket, id } = link;
    const before = this.links.find((one) => one.id === socket.query["connection"]);
    const room = this.#attachedTo(socket);
    socket.accept();
    link.isGreeted = true;
    const common = { ...HELLO, connectionId: id };
    if (room) this.#greetRoom(link, room, common);
    else
      link.post({
        method: "$/connected",
        params: { connectionId: id, userId: "alice", pingSeconds: 15 },
      });
    // After the new one has entered, so that the user does not leave between the two.
    if (before) this.end(before);
  }

  #attachedTo({ url }: LinkedSocket): ModelRoom | undefined {
    return [...this.rooms.values()].find(({ name }) =>
      decodeURIComponent(url.pathname).endsWith(`/${name.replace(":", "s/")}`),
    );
  }

  #greetRoom(link: ModelLink, room: ModelRoom, common: object): void {
    room.enter(link);
    const missed = room.missed(link.socket.query["since"]);
    link.post({
      method: "$/connected",
      params: {
        ...common,
        ...{ room: room.name, position: room.position, present: room.present },
        ...{ recovered: missed !== undefined, replayed: missed?.length ?? 0 },
        ...(!missed && { state: room.state }),
      },
    });
    for (const entry of missed ?? []) link.post(entry);
  }

  /** The server's end of the connection ends: the client may learn of it later, or never. */
  end(link: ModelLink): void {
    link.hasEnded = true;
    for (const room of this.rooms.values()) room.leave(link);
  }

  /** The connection is lost, with a close code that the client sees. */
  cut(link: ModelLink, code: number): void {
    this.end(link);
    link.outbox.length = 0;
    if (link.socket.readyState < 2) link.socket.end(code);
  }

  /** The room does not admit the client any more. Nothing else about the room is on its way to the client. */
  remove(link: ModelLink, room: ModelRoom): void {
    if (link.late.length > 0 || !room.members.has(link)) return;
    room.leave(link);
    link.post({ method: "$/left", params: { room: room.name, reason: "forbidden" } });
  }

  restart(): void {
    for (const link of this.links) if (!link.hasEnded) this.cut(link, 1012);
    for (const room of this.rooms.values())
      if (this.chance.next() < 0.5) room.restart(this.#nextEpoch());
  }

  /** Some frames arrive, in both directions. */
  pump(most: number): void {
    this.questions.proceed();
    for (const link of this.links) {
      if (link.socket.readyState === 2 && !link.isHalfOpen && !link.hasEnded) this.end(link);
      if (link.hasEnded || link.isHalfOpen) continue;
      const some = () => (this.isCalm ? 100 : this.chance.below(most + 1));
      for (const message of link.take(some())) this.#receive(link, message);
      for (let n = some(); n > 0; n -= 1) link.deliver(1 + this.chance.below(4));
      if (this.isCalm || this.chance.next() < 0.5)
        for (const answer of link.late.splice(0)) link.post(answer);
      this.#stream(link);
    }
  }

  /** The client has a connection that is not lost, and nothing is on its way. */
  get isIdle(): boolean {
    const { link } = this;
    if (!link || link.hasEnded || link.socket.readyState !== 1) return false;
    const { inbox, outbox, late, streams } = link;
    const onTheirWay = inbox.length + outbox.length + late.length + streams.size;
    return onTheirWay + this.questions.pending(link) === 0;
  }

  #stream(link: ModelLink): void {
    for (const [id, stream] of link.streams) {
      link.post({ method: "$/item", params: { id, item: stream.next } });
      if (stream.next++ < stream.to) continue;
      link.streams.delete(id);
      link.post({ id, result: null });
    }
  }

  #receive(link: ModelLink, message: SentMessage): void {
    const { id, method } = message;
    if (method === undefined) return this.questions.receive(link, message);
    const answer = this.#answer(link, message);
    if (id === undefined || !answer) return;
    const isLate = link.late.length > 0 || (!this.isCalm && this.chance.next() < 0.2);
    (isLate ? link.late : link.outbox).push({ id, ...answer });
  }

  #answer(link: ModelLink, { id, method, params, idempotencyKey }: SentMessage): Answer {
    const args = [params ?? []].flat() as unknown[];
    const [first] = args as [Params];
    if (method === "$/cancelRequest") return this.#cancel(link, first as unknown as { id: string });
    if (method === "$/item" || method === "$/end") return this.#upload(link, method, first);
    if (method?.startsWith("$/")) {
      if (!this.isCalm && this.chance.next() < 0.1) return refusal(this.chance.pick(OF_THE_MOMENT));
      return { result: this.#protocol(link, method, first) };
    }
    if (method === "add") return this.#addOnce(args as number[], idempotencyKey);
    if (method === "count") link.streams.set(id!, { next: 1, to: args[0] as number });
    if (method === "sum")
      link.uploads.set((first as unknown as { $stream: string }).$stream, { call: id!, items: [] });
    return undefined;
  }

  #addOnce(args: number[], key: string | undefined): Answer {
    const result = (key !== undefined && this.#results.get(key)) || this.#add(args);
    if (key !== undefined) this.#results.set(key, result);
    return result;
  }

  #add([number = 0, other = 0]: number[]): Answer {
    this.runs.set(number, (this.runs.get(number) ?? 0) + 1);
    if (other < 0) return refusal("negative");
    return { result: number + other };
  }

  #cancel(link: ModelLink, { id }: { id: string }): Answer {
    link.streams.delete(id);
    for (const [stream, { call }] of link.uploads) if (call === id) link.uploads.delete(stream);
    return undefined;
  }

  #upload(link: ModelLink, method: string, params: Record<string, unknown>): Answer {
    const stream = params["stream"] as string;
    const upload = link.uploads.get(stream);
    if (!upload) return undefined;
    if (method === "$/item") upload.items.push(params["item"]);
    else {
      link.uploads.delete(stream);
      link.post({ id: upload.call, result: upload.items });
    }
    return undefined;
  }

  #protocol(link: ModelLink, method: string, params: Params): unknown {
    const room = this.rooms.get(params?.room ?? this.#attachedTo(link.socket)?.name ?? "")!;
    switch (method) {
      case "$/join":
        return this.#join(link, room, params["since"] as string | undefined);
      case "$/resume":
        return this.#resume(link, params["rooms"] as unknown as Record<string, string>);
      case "$/leave":
        return (room.leave(link), null);
      case "$/track":
        return (room.track(link.userId, params["state"]), null);
      case "$/untrack":
        return (room.track(link.userId, null), null);
      case "$/presence":
        return room.present;
      case "$/snapshot":
        return { state: room.state, position: room.position };
      case "$/history":
        return { messages: [], position: room.position };
      default:
        return { expiresAt: 0 };
    }
  }

  #resume(link: ModelLink, rooms: Record<string, string>): object {
    return Object.fromEntries(
      Object.entries(rooms).map(([name, since]) => {
        const isRefused = !this.isCalm && this.chance.next() < 0.1;
        return [
          name,
          isRefused
            ? { error: { code: "unavailable", message: "Not now." } }
            : this.#join(link, this.room(name), since),
        ];
      }),
    );
  }

  #join(link: ModelLink, room: ModelRoom, since: string | undefined): object {
    room.enter(link);
    const { name, position } = room;
    const missed = room.missed(since);
    const snapshot = { method: "$/state", params: { state: room.state }, room: name, position };
    if (!missed) link.post(snapshot);
    for (const entry of missed ?? []) link.post(entry);
    return { position, recovered: missed !== undefined, replayed: missed?.length ?? 0 };
  }
}
