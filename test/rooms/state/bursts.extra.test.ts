// [F21] Clients that are slow, or away, while a room changes again and again: by stateful reconnect and by long
// polling.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { applyPatch } from "../../../src/model/merge-patch.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { chance, sizeOf } from "../../support/seed.ts";
import { roomAt, token } from "../client.ts";
import { connected, negotiate, open, relayOf, SignalR, type Record } from "../relay/client.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const HUB = "odd-resuming";
const ACTIONS = sizeOf(150, 2_000);
const BREAKS = sizeOf(5, 60);
const RS = "\u001e";

const user = { id: "svc", tenant: "default", roles: [], claims: {}, caps: [], channels: [] };
const add = (room: string) =>
  roomAt(`${HUB}/${room}`).runAction({
    ...{ action: "add", args: "[1]", user: { ...user, expiresAt: Infinity } },
  });
/** Some actions at a time, so that there are many flushes. */
async function burst(room: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 5)
    // oxlint-disable-next-line no-await-in-loop -- one flush after another
    await Promise.all(Array.from({ length: Math.min(5, left) }, () => add(room)));
}

/** What a client makes of records that came once and in order; and what they must not have. */
class Hearing {
  readonly wrong: string[] = [];
  readonly added: number[] = [];
  snapshots = 0;
  #copy: unknown;
  #position = 0;

  get count(): number | undefined {
    return (this.#copy as { count?: number } | undefined)?.count;
  }

  take({ target, arguments: args = [] }: Record): void {
    const [, change, position] = args as [unknown, unknown, string];
    if (target === "RoomState" || target === "RoomPatch") this.#stand(position);
    if (target === "RoomState") [this.#copy, this.snapshots] = [change, this.snapshots + 1];
    if (target === "RoomPatch") this.#copy = applyPatch(this.#copy, change);
    if (target === "Added") this.#hear(args[0] as number);
  }

  #stand(position: string): void {
    const offset = Number(position.split(":")[1]);
    if (offset <= this.#position) this.wrong.push(`${position} after ${this.#position}`);
    this.#position = offset;
  }

  #hear(count: number): void {
    this.added.push(count);
    if ((this.count ?? -1) < count) this.wrong.push(`${count} before its state, ${this.count}`);
  }
}

/** A client of stateful reconnect, which takes each message once, whatever is sent again. */
class Resuming {
  readonly hearing = new Hearing();
  readonly #joining: object;
  #client!: SignalR;
  /** Records of the present socket that were looked at. */
  #read = 0;
  /** The number of the next message, and of the newest that was taken. */
  #next = 1;
  #taken = 0;

  constructor(room: string) {
    const claims = { channels: [room] };
    this.#joining = { query: "useStatefulReconnect=true", version: 2, claims };
  }

  async enter(): Promise<void> {
    this.#client = await connected(HUB, this.#joining);
  }

  read(): void {
    for (const record of this.#client.heard.slice(this.#read)) this.#take(record);
    this.#read = this.#client.heard.length;
  }

  #take(record: Record): void {
    if (record.type === 9) this.#next = record.sequenceId!;
    if (record.type >= 6) return;
    const number = this.#next++;
    if (number > this.#taken + 1) this.hearing.wrong.push(`a gap before message ${number}`);
    if (number <= this.#taken) return;
    this.#taken = number;
    this.hearing.take(record);
  }

  /** Tells how far it is. */
  confirm(): void {
    this.#client.say({ type: 8, sequenceId: this.#taken });
  }

  async breaks(): Promise<void> {
    const { id } = this.#client;
    await runInDurableObject(relayOf(HUB, id), (relay, state) => {
      const socket = state.getWebSockets().find((one) => attachedOf(one)?.id === id)!;
      (relay as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
    });
  }

  async comesBack(): Promise<void> {
    // What the old socket still gives is taken: a client does so until it knows that it is lost.
    this.read();
    const { id, token: connectionToken } = this.#client;
    const { webSocket } = await open(HUB, connectionToken, this.#joining);
    this.#client = new SignalR(webSocket!, { connectionId: id, connectionToken }, true);
    this.#read = 0;
    this.#client.say({ type: 9, sequenceId: 1 });
  }

  get relay() {
    return relayOf(HUB, this.#client.id);
  }

  end(): void {
    this.#client[Symbol.dispose]();
  }
}

describe("[F21] a client of stateful reconnect", () => {
  it.each([
    ["at once", false],
    ["after the relay has slept", true],
  ])(
    `that breaks ${BREAKS} times during a burst of patches, and is back %s, has each once and in order`,
    { timeout: sizeOf(30_000, 600_000) },
    async (_, sleeps) => {
      const dice = chance();
      const room = `group:${crypto.randomUUID()}`;
      const alice = new Resuming(room);
      await alice.enter();
      await expect.poll(() => (alice.read(), alice.hearing.snapshots)).toBe(1);
      const writing = burst(room, ACTIONS);
      for (let n = 0; n < BREAKS; n++) {
        for (let turn = dice.below(20); turn > 0; turn--) await scheduler.wait(0);
        alice.read();
        if (dice.below(2) === 0) alice.confirm();
        await alice.breaks();
        if (sleeps) await evictDurableObject(alice.relay).catch(() => {});
        for (let turn = dice.below(20); turn > 0; turn--) await scheduler.wait(0);
        await alice.comesBack();
      }
      await writing;
      const { hearing } = alice;
      const about = { timeout: 10_000, message: `seed ${dice.seed}` };
      await expect
        .poll(() => (alice.read(), alice.confirm(), hearing.added.length), about)
        .toBe(ACTIONS);
      expect(hearing.wrong, `seed ${dice.seed}`).toEqual([]);
      expect(hearing.added).toEqual(Array.from({ length: ACTIONS }, (__, n) => n + 1));
      expect([hearing.count, hearing.snapshots]).toEqual([ACTIONS, 1]);
      alice.end();
    },
  );
});

/** A client of long polling, which asks when its test lets it. */
async function poller(room: string) {
  const claims = { channels: [room] };
  const { connectionId, connectionToken } = await negotiate(HUB, { claims });
  const authorization = `Bearer ${await token("alice", claims)}`;
  const url = `https://edge.example/hubs/${HUB}?id=${encodeURIComponent(connectionToken)}`;
  const ask = (method: string, body?: string) =>
    exports.default.fetch(url, {
      ...{ method, headers: { authorization } },
      ...(body !== undefined && { body }),
    });
  const hearing = new Hearing();
  const records: Record[] = [];
  const poll = async () => {
    const { body, status } = await ask("GET");
    // Polls are answered as bytes.
    const text = body ? await new Response(body).text() : "";
    if (status !== 200) throw new Error(`${status} ${text}`);
    for (const one of text.split(RS).slice(0, -1)) {
      const record = JSON.parse(one) as Record;
      records.push(record);
      hearing.take(record);
    }
  };
  const post = (message: object) => ask("POST", JSON.stringify(message) + RS);
  await poll();
  await post({ protocol: "json", version: 1 });
  while (hearing.snapshots === 0) await poll();
  return { hearing, records, poll, post, relay: relayOf(HUB, connectionId) };
}

describe("[F21] a client of long polling", () => {
  it("that polls during a burst of patches has each once and in order", async () => {
    const room = `group:${crypto.randomUUID()}`;
    const { hearing, poll } = await poller(room);
    const writing = burst(room, ACTIONS);
    while (hearing.added.length < ACTIONS) await poll();
    await writing;
    expect(hearing.wrong).toEqual([]);
    expect(hearing.added).toEqual(Array.from({ length: ACTIONS }, (_, n) => n + 1));
    expect([hearing.count, hearing.snapshots]).toEqual([ACTIONS, 1]);
  });

  it("that is away during a burst, while the relay sleeps, has all of it with its next polls", async () => {
    const room = `group:${crypto.randomUUID()}`;
    const { hearing, poll, relay } = await poller(room);
    for (let part = 0; part < 3; part++) {
      await burst(room, ACTIONS / 3);
      await evictDurableObject(relay).catch(() => {});
    }
    while (hearing.added.length < ACTIONS) await poll();
    expect(hearing.wrong).toEqual([]);
    expect(hearing.added).toEqual(Array.from({ length: ACTIONS }, (_, n) => n + 1));
    expect([hearing.count, hearing.snapshots]).toEqual([ACTIONS, 1]);
  });

  it("that runs an action itself during a burst has patch, message and answer in this order", async () => {
    const room = `group:${crypto.randomUUID()}`;
    const { hearing, poll, post, records } = await poller(room);
    const writing = burst(room, 20);
    const args = [room.slice("group:".length), 1];
    await post({ type: 1, invocationId: "r", target: "Add", arguments: args });
    const answered = () => records.find(({ invocationId }) => invocationId === "r");
    while (!answered()) await poll();
    const result = answered()!.result as number;
    expect(hearing.added).toContain(result);
    expect(hearing.count).toBeGreaterThanOrEqual(result);
    await writing;
    while (hearing.added.length < 21) await poll();
    expect([hearing.wrong, hearing.count]).toEqual([[], 21]);
  });
});
