// States that live elsewhere, deploys of other versions, and code of a hub that waits.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { release, steering, untilReleased } from "../../support/steered-hub.ts";
import { Client, enter, roomAt, token, upgrade } from "../client.ts";
import { act, newRoom, pass, ran, wholeOf } from "./steered-room.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  release();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const run = async (client: Client, action: string, ...params: unknown[]) => {
  const { result, error } = await client.call("$/run", { action, params });
  return result ? result.result : error!.data.code;
};
const codeOfEntering = (name: string) =>
  enter(name).then(
    (client) => client[Symbol.dispose](),
    (error: Error) => /"code":"(\w+)"/.exec(error.message)?.[1],
  );

describe("[F14] a loader", () => {
  it("that is slow is waited for: one load, and each caller is answered once", async () => {
    const loads: string[] = [];
    steering.isHeld = true;
    steering.load = async (name) => {
      loads.push(name);
      await untilReleased();
      return { count: 40 };
    };
    const name = newRoom();
    const answers = [act(name, "add", 1), act(name, "add", 1), wholeOf(name)];
    const entering = enter(name);
    await expect.poll(() => loads.length).toBe(1);
    steering.isHeld = false;
    const [one, two] = await Promise.all(answers);
    expect([one, two].toSorted()).toEqual([41, 42]);
    using alice = await entering;
    expect(alice.hello.params.state.count).toBeGreaterThanOrEqual(40);
    expect(loads).toHaveLength(1);
    expect(await wholeOf(name)).toEqual({ count: 42 });
  });

  it("that hangs, throws or gives no state is `unavailable`, never `initial`, and tried again", async () => {
    const name = newRoom();
    steering.loadSeconds = 0.02;
    steering.load = () => new Promise(() => {});
    expect(await act(name, "add", 1)).toBe("unavailable");
    steering.load = () => {
      throw new Error("No database.");
    };
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe("unavailable");
    expect(await codeOfEntering(name)).toBe("unavailable");
    steering.load = () => ({ count: "many" });
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe("invalid_state");
    steering.load = () => ({ count: 1, label: "x".repeat(300_000) });
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe("invalid_state");
    steering.load = () => ({ count: 7 });
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe(8);
  });

  it("that fails refuses joins of other objects by a value, which no log calls uncaught", async () => {
    steering.load = () => {
      throw new Error("No database.");
    };
    const missed = await roomAt(newRoom()).missed(undefined);
    expect(missed).toMatchObject({ fault: { code: "unavailable" } });
  });

  it("is not heard any more where the room was erased meanwhile", async () => {
    const name = newRoom();
    expect(await act(name, "add", 5)).toBe(5);
    await roomAt(name).erase();
    steering.isHeld = true;
    let isLoading = false;
    steering.load = async () => {
      isLoading = true;
      await untilReleased();
      return { count: 40 };
    };
    await evictDurableObject(roomAt(name));
    const answer = act(name, "add", 1);
    await expect.poll(() => isLoading).toBe(true);
    await roomAt(name).publish({ target: "said", params: "[]" });
    await roomAt(name).erase();
    steering.isHeld = false;
    expect(await answer).toBe(1);
    expect(await wholeOf(name)).toEqual({ count: 1 });
  });
});

describe("[F15] a saver", () => {
  it("is called until it succeeds, with positions that rise, and the newest state last", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const saved: { state: unknown; offset: number }[] = [];
    let fails = true;
    steering.save = ({ state, position }) => {
      saved.push({ state, offset: position.offset });
      if (fails) throw new Error("The database is down.");
    };
    const name = newRoom();
    for (let n = 0; n < 5; n++) {
      await act(name, "add", 1);
      await pass(name, 40);
      if (n === 2) await evictDurableObject(roomAt(name));
    }
    const before = saved.length;
    expect(before).toBeGreaterThan(5);
    fails = false;
    await pass(name, 120);
    expect(saved.length).toBe(before + 1);
    expect(saved.at(-1)!.state).toEqual({ count: 5 });
    const offsets = saved.map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  });

  it("is never called while a call is under way, and sees what changed meanwhile after it", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const saved: number[] = [];
    let underWay = 0;
    steering.isHeld = true;
    steering.save = async ({ state }) => {
      underWay++;
      expect(underWay).toBe(1);
      await untilReleased();
      underWay--;
      saved.push((state as { count: number }).count);
    };
    const name = newRoom();
    await act(name, "add", 1);
    await pass(name, 2);
    await act(name, "add", 1);
    await pass(name, 5);
    expect([underWay, saved]).toEqual([1, []]);
    steering.isHeld = false;
    await expect.poll(() => saved).toEqual([1]);
    await pass(name, 5);
    await expect.poll(() => saved).toEqual([1, 2]);
  });

  it("is called again where its success was not written, and once more for an erasure", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const saved: unknown[] = [];
    steering.save = ({ state }) => void saved.push(state);
    const name = newRoom();
    await act(name, "add", 1);
    await pass(name, 3);
    await runInDurableObject(roomAt(name), (_, { storage }) =>
      storage.sql.exec("UPDATE room_state SET saved = -1"),
    );
    await evictDurableObject(roomAt(name));
    await pass(name, 3);
    await act(name, "add", 1);
    await pass(name, 3);
    await roomAt(name).erase();
    await pass(name, 3);
    expect(saved.at(-1)).toBeUndefined();
    expect(saved.slice(0, -1).at(-1)).toEqual({ count: 2 });
  });
});

describe("[F15] a save that an erasure overtakes", () => {
  it("hides no change of the new epoch", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const saved: unknown[] = [];
    steering.isHeld = true;
    steering.save = async ({ state }) => {
      await untilReleased();
      saved.push(state);
    };
    const name = newRoom();
    for (let n = 0; n < 9; n++) await act(name, "add", 1);
    await pass(name, 2);
    await roomAt(name).erase();
    steering.isHeld = false;
    await expect.poll(() => saved).toEqual([{ count: 9 }]);
    await pass(name, 3);
    expect(saved.slice(1)).toEqual([undefined]);
    await act(name, "add", 2);
    await pass(name, 3);
    expect(saved.slice(2)).toEqual([{ count: 2 }]);
  });
});

describe("[F16] a deploy", () => {
  const label = (old: object) => ({ ...old, label: "new" });

  it("with a migration gives the sleeping room's clients a numbered snapshot", async () => {
    const name = newRoom();
    using alice = await enter(name);
    for (let n = 0; n < 3; n++) await run(alice, "add", 1);
    steering.migrations = [label];
    await evictDurableObject(roomAt(name));
    expect(await run(alice, "add", 1)).toBe(4);
    const changes = alice.heard.filter(({ method }) => method === "$/state").slice(3);
    expect(changes[0]!.params).toEqual({ state: { count: 4, label: "new" } });
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toEqual({ count: 4, label: "new" });
  });

  it("that is rolled back answers `state_newer`, lets messages pass, and keeps the state", async () => {
    const name = newRoom();
    steering.migrations = [label];
    await act(name, "add", 3);
    release();
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe("state_newer");
    expect(await wholeOf(name)).toBe("state_newer");
    for (let n = 0; n < 150; n++) await roomAt(name).publish({ target: "said", params: `[${n}]` });
    steering.migrations = [label];
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe(4);
  });

  it("[ST4] that is rolled back knows runs of the newer one under their keys afterwards", async () => {
    const name = newRoom();
    const keyed = (key: string) => ran(name, { action: "add", args: [1], key });
    steering.migrations = [label];
    await keyed("one");
    expect(await keyed("two")).toEqual({ result: 2, repeated: false });
    release();
    await evictDurableObject(roomAt(name));
    expect(await keyed("two")).toBe("state_newer");
    expect(await keyed("two")).toBe("state_newer");
    steering.migrations = [label];
    await evictDurableObject(roomAt(name));
    expect(await keyed("two")).toEqual({ result: 2, repeated: true });
    expect(await wholeOf(name)).toEqual({ count: 2 });
  });

  it("[F17] that is rolled back is asked for its schedule less and less often, and rings it in the end", async () => {
    const name = newRoom();
    vi.useFakeTimers({ toFake: ["Date"] });
    steering.migrations = [label];
    await act(name, "add", 1);
    await act(name, "later", 1);
    release();
    await evictDurableObject(roomAt(name));
    const pauses: number[] = [];
    for (let n = 0; n < 3; n++) {
      vi.setSystemTime(Date.now() + 6_000);
      await runDurableObjectAlarm(roomAt(name));
      const at = await runInDurableObject(roomAt(name), (_, { storage }) => storage.getAlarm());
      pauses.push(at! - Date.now());
    }
    expect(pauses).toEqual([1_000, 2_000, 5_000]);
    steering.migrations = [label];
    await evictDurableObject(roomAt(name));
    await runDurableObjectAlarm(roomAt(name));
    expect(await wholeOf(name)).toEqual({ count: 2 });
  });

  it("whose migration throws leaves the old state untouched", async () => {
    const name = newRoom();
    await act(name, "add", 3);
    steering.migrations = [
      () => {
        throw new Error("A bug.");
      },
    ];
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1).catch(() => "internal")).toBe("internal");
    steering.migrations = [label];
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toEqual({ count: 3, label: "new" });
  });

  it("that migrates to what the schema refuses leaves the old state untouched", async () => {
    const name = newRoom();
    await act(name, "add", 3);
    steering.migrations = [() => ({ count: "three" })];
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe("invalid_state");
    release();
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe(4);
  });
});

describe("[F8] code that waits", () => {
  const onHub = async (name: string) => {
    const access = await token("alice");
    const client = new Client(
      (await upgrade(`/hubs/steered/rpc?access_token=${access}`)).webSocket!,
    );
    await client.call("$/join", { room: name.slice("steered/".length) });
    return client;
  };
  const runIn = (client: Client, name: string, action: string, params: unknown[]) =>
    client.call("$/run", { room: name.slice("steered/".length), action, params });

  it.each(["slow", "guarded"])(
    "in %s holds its connection's calls back, and no other's",
    async (action) => {
      const name = newRoom();
      using alice = await onHub(name);
      using carol = await enter(name, { user: "carol" });
      using bob = await enter(name, { user: "bob" });
      steering.isHeld = true;
      const waiting = [alice, carol].flatMap((client) => [
        runIn(client, name, action, [10]),
        runIn(client, name, "add", [100]),
      ]);
      for (let n = 1; n <= 20; n++) expect(await run(bob, "add", 1)).toBe(n);
      steering.isHeld = false;
      const results = (await Promise.all(waiting)).map(({ result }) => result.result as number);
      expect(results[0]).toBeLessThan(results[1]!);
      expect(results[2]).toBeLessThan(results[3]!);
      expect(await run(bob, "add", 0)).toBe(240);
    },
  );
});
