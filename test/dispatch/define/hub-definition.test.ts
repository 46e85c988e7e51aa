// The words of user code describe a hub; `calling` runs it in memory.

import { describe, expect, it } from "vitest";
import * as z from "zod";
import { action, internal } from "../../../src/dispatch/define/action-definition.ts";
import {
  authorize,
  hub,
  method,
  stream,
  streamOf,
} from "../../../src/dispatch/define/hub-definition.ts";
import { anyone, nobody } from "../../../src/dispatch/define/policies.ts";
import { calling, callingRoom, world } from "../../../src/dispatch/testing/testing.ts";

describe("hub", () => {
  it("is its name, settings and members, and nothing runs", () => {
    const settings = { history: false } as const;
    const args = [z.string()] as const;
    const handle = () => 1;
    expect(hub("a", settings).methods({ go: method(args, handle) })).toEqual({
      name: "a",
      settings,
      members: { go: { kind: "method", args, handle, policy: anyone } },
      filters: [],
    });
  });

  it("has no settings where none are given", () => {
    expect(hub("a").methods({})).toEqual({ name: "a", settings: {}, members: {}, filters: [] });
  });

  it.each(["", "Chat", "a/b", "a b", "1a", "ä", "a".repeat(65)])(
    'refuses the name "%s" where it is declared',
    (name) => {
      expect(() => hub(name).methods({})).toThrow(TypeError);
    },
  );

  it("opens methods to anyone unless a policy is named", () => {
    expect(method([], () => 1).policy).toBe(anyone);
    expect(authorize(nobody).stream([], async function* () {}).policy).toBe(nobody);
  });
});

describe("a generator in the place of one result", () => {
  async function* later() {
    yield 1;
  }
  function* now() {
    yield 1;
  }
  const schema = z.object({ n: z.number() });
  const rooms = () => hub("rooms").state("group", { schema, initial: { n: 1 } });

  it.each([later, now])("is refused where the hub is declared: %o", (handle) => {
    const members = { go: method([], handle) } as never;
    const actions = { go: action([], handle) } as never;
    const sentence = 'Hub "rooms": go is a generator: only a stream gives items.';
    const declared = [
      () => hub("rooms").methods(members),
      () => rooms().methods(members),
      () => rooms().actions(actions),
      () => rooms().internal({ go: internal([], handle) } as never),
    ];
    for (const declare of declared) expect(declare).toThrow(new TypeError(sentence));
  });

  it("is what a stream is", () => {
    expect(() => hub("streams").methods({ go: stream([], later) })).not.toThrow();
  });

  it.each([
    ["an async generator", later],
    ["a generator", now],
    ["an iterator", () => [1].values()],
    ["a ReadableStream", () => new ReadableStream()],
  ])("is refused where a call returns it: %s", async (_, make) => {
    const members = { go: method([], async () => make()) } as never;
    const { invoke } = calling(hub("given").methods(members)) as unknown as {
      invoke: { go(): Promise<unknown> };
    };
    await expect(invoke.go()).rejects.toMatchObject({ code: "wrong_kind" });
    const actions = { go: action([], () => make()) } as never;
    const room = callingRoom(rooms().actions(actions)) as unknown as {
      run: { go(): Promise<unknown> };
    };
    await expect(room.run.go()).rejects.toMatchObject({ code: "wrong_kind" });
  });

  it.each([[[1, 2]], [new Map([["a", 1]])], ["text"], [{ next: 1 }], [null]])(
    "is not %j",
    async (result) => {
      const { invoke } = calling(hub("given").methods({ go: method([], () => result) }));
      await expect(invoke.go()).resolves.toBeDefined();
    },
  );
});

it("has calls that an async function may return", async () => {
  const { invoke } = calling(hub("given").methods({ go: method([], () => 1) }));
  const prepared = async () => invoke;
  expect(await (await prepared()).go()).toBe(1);
});

interface Client {
  said(text: string, at?: Date): void;
  confirm(question: string): Promise<boolean>;
}

const Sample = hub<Client>("sample", {
  answers: { confirm: z.boolean() },
  connected: ({ clients }) => clients.caller.said("hello"),
  disconnected: ({ clients, user }, error) => clients.all.said(`${user.id}: ${error?.message}`),
  joined: ({ clients, room, user }) => clients.all.said(`${user.id} in ${room.kind}`),
  presenceChanged: async ({ group, clients }) =>
    clients.all.said(`${(await group("g").presence.count()).users}`),
}).methods({
  ask: method([], ({ clients }) => clients.caller.confirm("sure?")),
  date: method([], () => ({ at: new Date(0), bytes: new Uint8Array([1]) })),
  enter: method([], async ({ group, order }) => {
    await group("g").join();
    await order("1").join();
    await group("g").presence.track("typing");
    return group("g").presence.list();
  }),
  exit: method([], ({ group }) => group("g").leave()),
  say: method([z.string()], ({ clients }, text) => clients.group("g").said(text, new Date(0))),
  past: method([], async ({ group }) => [
    await group("g").history.last(1),
    await group("g").history.since({ epoch: "memory", offset: 1 }),
  ]),
  where: method([], async ({ group, room }) => ({
    room,
    here: (await group("g").presence.list()).map(({ userId }) => userId),
  })),
  end: method([], ({ abort }) => abort()),
  keep: method([z.date(), z.instanceof(Uint8Array)], (_context, at, bytes) => [
    at instanceof Date,
    bytes instanceof Uint8Array,
  ]),
  sum: method([streamOf(z.number())], async (_context, numbers) => {
    let sum = 0;
    for await (const n of numbers) sum += n;
    return sum;
  }),
  ticks: stream([], async function* () {
    yield 1;
  }),
});

describe("calling", () => {
  it("answers as the test says", async () => {
    const { invoke, sent } = calling(Sample, { answers: { confirm: true } });
    expect(await invoke.ask()).toBe(true);
    expect(sent).toEqual([{ to: "caller", method: "confirm", args: ["sure?"] }]);
  });

  it("refuses an answer that is not what the hub declares", async () => {
    const { invoke } = calling(Sample, { answers: { confirm: "yes" } });
    await expect(invoke.ask()).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("times out where the test gives no answer", async () => {
    await expect(calling(Sample).invoke.ask()).rejects.toMatchObject({ code: "timed_out" });
  });

  it("carries values as the wire does", async () => {
    const { invoke, sent } = calling(Sample);
    await invoke.say("x");
    expect(sent).toEqual([
      { to: "group:g", method: "said", args: ["x", "1970-01-01T00:00:00.000Z"] },
    ]);
    expect(await invoke.date()).toEqual({
      at: "1970-01-01T00:00:00.000Z",
      bytes: new Uint8Array([1]),
    });
  });

  it("gives times and bytes to the schemas that ask for them, as a client's call does", async () => {
    const given = [new Date(0), new Uint8Array([1])] as const;
    expect(await calling(Sample).invoke.keep(...given)).toEqual([true, true]);
    const alice = await world(Sample, { env: {} }).connect({ user: "alice" });
    expect(await alice.invoke.keep(...given)).toEqual([true, true]);
  });

  it("knows who is in a room, and with what state", async () => {
    const { invoke, joined } = calling(Sample);
    expect(await invoke.enter()).toEqual([
      { userId: "alice", since: 0, connections: 1, state: "typing" },
    ]);
    expect(joined).toEqual(["group:g", "order:1"]);
    await invoke.exit();
    expect(joined).toEqual(["order:1"]);
  });

  it("remembers what was said in a room", async () => {
    const { invoke } = calling(Sample);
    await invoke.say("a");
    await invoke.say("b");
    const entry = {
      position: { epoch: "memory", offset: 2 },
      target: "said",
      args: ["b", "1970-01-01T00:00:00.000Z"],
      at: 0,
    };
    expect(await invoke.past()).toEqual([[entry], [entry]]);
  });

  it("attaches the caller to the room it is given", async () => {
    const where = (room?: string) => calling(Sample, room ? { room } : {}).invoke.where();
    expect(await where()).toEqual({ room: { kind: "all", name: "" }, here: [] });
    expect(await where("group:g")).toEqual({
      room: { kind: "group", name: "g" },
      here: ["alice"],
    });
  });

  it("says whether the hub has ended the connection", async () => {
    const called = calling(Sample);
    await called.invoke.end();
    expect(called.ended).toBe(true);
  });

  it("runs the hooks", async () => {
    const { hooks, sent } = calling(Sample);
    await hooks.connected();
    await hooks.joined("bob", "group:g");
    await hooks.presenceChanged("group:g");
    await hooks.left("bob", "group:g");
    await hooks.presenceChanged("group:g");
    await hooks.disconnected(new Error("lost"));
    expect(sent.map(({ to, args }) => [to, ...args])).toEqual([
      ["caller", "hello"],
      ["all", "bob in group"],
      ["all", "1"],
      ["all", "0"],
      ["all", "alice: lost"],
    ]);
  });

  it("reads client streams", async () => {
    async function* numbers() {
      yield* [1, 2];
    }
    expect(await calling(Sample).invoke.sum(numbers())).toBe(3);
  });

  it("takes no method for a stream and no stream for a method", async () => {
    const { invoke, stream: streams } = calling(Sample) as unknown as {
      invoke: Record<string, () => Promise<unknown>>;
      stream: Record<string, () => AsyncGenerator>;
    };
    await expect(invoke["ticks"]!()).rejects.toMatchObject({ code: "wrong_kind" });
    await expect(streams["where"]!().next()).rejects.toMatchObject({ code: "wrong_kind" });
  });

  it.each(["__proto__", "constructor", "valueOf", "toString"])(
    "finds no method %s",
    async (name) => {
      const { invoke } = calling(Sample) as unknown as {
        invoke: Record<string, () => Promise<unknown>>;
      };
      await expect(invoke[name]!()).rejects.toMatchObject({ code: "method_not_found" });
    },
  );
});

describe("a stream's signal", () => {
  const Watched = (seen: AbortSignal[]) =>
    hub("watched").methods({
      watch: stream([], async function* ({ signal }) {
        seen.push(signal);
        for (let n = 0; !signal.aborted; n += 1) yield n;
      }),
    });

  it("is aborted when its reader stops reading", async () => {
    const seen: AbortSignal[] = [];
    for await (const n of calling(Watched(seen)).stream.watch()) if (n === 1) break;
    expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("is aborted by stop", async () => {
    const seen: AbortSignal[] = [];
    const { stream: streams, stop } = calling(Watched(seen));
    const read: number[] = [];
    for await (const n of streams.watch()) {
      read.push(n);
      stop();
    }
    expect(read).toEqual([0]);
  });
});
