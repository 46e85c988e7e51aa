// The one publish path, with a log that the test makes fail. Flushes are called by hand.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HubError } from "../../../src/model/errors.ts";
import { LIMITS } from "../../../src/model/options.ts";
import type { Position } from "../../../src/model/topic.ts";
import { jsonRpc } from "../../../src/protocols/json-rpc-codec.ts";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import { NoLog } from "../../../src/rooms/log/log-modes.ts";
import { Outbox } from "../../../src/rooms/delivery/outbox.ts";
import { Publisher } from "../../../src/rooms/room/publisher.ts";
import { linkAt } from "../../../src/rooms/room/follower-links.ts";
import type { Draft, Entry } from "../../../src/rooms/rpc/log-entry.ts";
import type { Ticket } from "../../../src/rooms/delivery/fan-out.ts";
import type { Frame } from "../client.ts";
import { offsets } from "../storage.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const connection = (id: string) => ({ id, protocol: jsonRpc }) as unknown as Connection;
const draft = (word: string, more: Partial<Draft> = {}): Draft => ({
  target: "said",
  params: JSON.stringify([word]),
  ...more,
});

function publishing() {
  const [alice, bob] = [connection("alice"), connection("bob")];
  const own = new Set([alice, bob]);
  const log = new NoLog();
  const saved: Entry[] = [];
  const heard: Record<string, Frame[]> = { alice: [], bob: [] };
  const outbox = new Outbox({
    connections: {
      all: own,
      get: (id) => [...own].find((one) => one.id === id),
      send: ({ id }, frames) =>
        void heard[id]!.push(...frames.flatMap((frame) => JSON.parse(frame as string))),
    },
    counters: { out: 0 },
  });
  const elsewhere = () => Promise.reject(new Error("Nothing is published elsewhere."));
  const publisher = new Publisher({
    topic: { kind: "group", name: "lobby" },
    log,
    outbox,
    members: own,
    followers: {
      links: new Map([["follower", linkAt(0)]]),
      publish: (entries) => void saved.push(...entries),
    },
    rate: { add: () => {} },
    activity: { isDue: true, note: () => {} },
    elsewhere: () => ({ publish: elsewhere, publishAndSave: elsewhere }),
    publishBytes: LIMITS.publishBytes,
    now: () => 1_000,
  });
  const words = (id: string) =>
    heard[id]!.map((frame) => frame.params?.[0] ?? frame.result ?? frame.error);
  return { publisher, outbox, log, saved, heard, words, own, alice, bob };
}

describe("a publisher", () => {
  it("numbers, saves and then sends all of a moment in one flush", () => {
    const { publisher, outbox, log, saved, heard } = publishing();
    const append = vi.spyOn(log, "append");
    publisher.append(draft("1"));
    publisher.append(draft("2", { except: ["alice", "nobody"] }));
    outbox.flush();
    expect(append).toHaveBeenCalledTimes(1);
    expect(offsets(saved)).toEqual([1, 2]);
    const { epoch } = log.position;
    const said = (word: string, offset: number) => ({
      jsonrpc: "2.0",
      method: "said",
      params: [word],
      room: "group:lobby",
      position: `${epoch}:${offset}`,
    });
    expect(heard).toEqual({ alice: [said("1", 1)], bob: [said("1", 1), said("2", 2)] });
  });

  it("sends nothing before it is saved, and asks what to tell after", () => {
    const { publisher, outbox, log, alice, words } = publishing();
    const order: string[] = [];
    vi.spyOn(log, "append").mockImplementation(() => void order.push("saved"));
    publisher.append(draft("1"));
    outbox.send(alice, () => {
      order.push("asked");
      return { type: "completion", id: 1, result: "done" };
    });
    outbox.flush();
    expect([order, words("alice")]).toEqual([
      ["saved", "asked"],
      ["1", "done"],
    ]);
  });

  it("says once what is published twice under one id within a flush, with one number", async () => {
    const { publisher, outbox, log, words } = publishing();
    const positions = [
      publisher.appendAndSave(draft("1")),
      publisher.appendAndSave(draft("2", { id: "a" })),
      publisher.appendAndSave(draft("2 again", { id: "a" })),
      publisher.appendAndSave(draft("3")),
    ];
    outbox.flush();
    expect((await Promise.all(positions)).map(({ offset }) => offset)).toEqual([1, 2, 2, 3]);
    expect([words("bob"), log.position.offset]).toEqual([["1", "2", "3"], 3]);
  });

  it("gives what the log remembers its old number, and says nothing", async () => {
    const { publisher, outbox, log, words } = publishing();
    vi.spyOn(log, "find").mockImplementation(() => 7 as never);
    expect(await publisher.appendAndSave(draft("old", { id: "a" }))).toEqual({
      ...log.position,
      offset: 7,
    });
    outbox.flush();
    expect(words("bob")).toEqual([]);
  });

  it("publishes under a condition only while nothing but presence came after the position", async () => {
    const { publisher, outbox, log, words } = publishing();
    const start = log.position;
    const coming = draft("came", { target: "$/presence" });
    const at = (position: Position, word: string) => draft(word, { ifAt: position });
    publisher.append(coming);
    publisher.append(at(start, "first"));
    // Unsaved: the log does not have it yet.
    expect(publisher.append(at(start, "second")).error).toMatchObject({ code: "conflict" });
    outbox.flush();
    expect(words("bob").slice(1)).toEqual(["first"]);
    const since = vi.spyOn(log, "since");
    const after = (targets: readonly string[], recovered = true) =>
      since.mockReturnValue({
        entries: targets.map((target, n) => ({ ...draft("x"), target, offset: n + 3, at: 1 })),
        ...{ position: log.position, recovered },
      });
    const codeOf = (word: string) =>
      (publisher.append(at(log.position, word)).error as HubError | null)?.code;
    after(["$/presence"]);
    expect(codeOf("third")).toBeUndefined();
    outbox.flush();
    after(["$/presence", "said"]);
    expect(codeOf("saved since")).toBe("conflict");
    after([], false);
    expect(codeOf("of another epoch")).toBe("conflict");
    outbox.flush();
    expect(words("bob").slice(1)).toEqual(["first", "third"]);
  });

  it("refuses what is too large or the protocol's own, and publishes it nowhere", async () => {
    const { publisher, outbox, words } = publishing();
    const lobby = { kind: "group", name: "lobby" } as const;
    const refused = {
      too_large: draft("x".repeat(LIMITS.publishBytes)),
      invalid_request: draft("1", { target: "$/presence" }),
    };
    for (const [code, one] of Object.entries(refused))
      await expect(publisher.publishAndSave(lobby, one)).rejects.toMatchObject({ code });
    outbox.flush();
    expect(words("bob")).toEqual([]);
  });

  it("passes on what is for a room of the same name and another kind", async () => {
    const { publisher, outbox, words } = publishing();
    const order = { kind: "order", name: "lobby" } as const;
    await expect(publisher.publish(order, draft("1"))).rejects.toThrow("elsewhere");
    await expect(publisher.publishAndSave(order, draft("1"))).rejects.toThrow("elsewhere");
    outbox.flush();
    expect(words("bob")).toEqual([]);
  });

  it("[R6] fails every caller of a flush that could not be saved, tells nobody, and goes on without a hole", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { publisher, outbox, log, saved, words, alice } = publishing();
    vi.spyOn(log, "append").mockImplementationOnce(() => {
      throw new Error("The disk is full.");
    });
    const ticket: Ticket = publisher.append(draft("lost", { id: "a" }));
    const waiting = publisher.appendAndSave(draft("lost too"));
    outbox.send(alice, () => ({
      type: "completion",
      id: 1,
      result: ticket.error?.code ?? "saved",
    }));
    outbox.flush();
    await expect(waiting).rejects.toMatchObject({ code: "internal" });
    expect([words("alice"), words("bob"), saved]).toEqual([["internal"], [], []]);
    const again = publisher.appendAndSave(draft("found", { id: "a" }));
    outbox.flush();
    expect([(await again).offset, words("bob")]).toEqual([1, ["found"]]);
  });

  it("delivers what was heard elsewhere to those who are in that room", () => {
    const { outbox, bob, heard } = publishing();
    const entry = { offset: 9, at: 1, target: "said", params: '["there"]' };
    outbox.publish({ room: "group:other", epoch: "zzz", entry, audience: new Set([bob]) });
    outbox.flush();
    expect(heard).toEqual({
      alice: [],
      bob: [expect.objectContaining({ room: "group:other", position: "zzz:9", params: ["there"] })],
    });
  });

  it("flushes by itself once the handler has had its turns, and leaves no timer", async () => {
    const { publisher, words } = publishing();
    publisher.append(draft("1"));
    publisher.append(draft("2"));
    expect(words("bob")).toEqual([]);
    await vi.waitUntil(() => words("bob").length > 0);
    expect([words("bob"), vi.getTimerCount()]).toEqual([["1", "2"], 0]);
  });
});
