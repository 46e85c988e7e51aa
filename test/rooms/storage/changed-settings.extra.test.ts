// Objects that wake in a deploy with other settings than the one before, or without their hub: what they have stored is
// not lost, also where that deploy is rolled back.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Durability } from "../../../src/model/options.ts";
import type { PresenceView } from "../../../src/rooms/rpc/presence-view.ts";
import type { StateSpec } from "../../../src/rooms/rpc/state-rpc.ts";
import { CLOSE, HubError } from "../../../src/model/errors.ts";
import { enter, roomAt } from "../client.ts";
import { connected, relayOf } from "../relay/client.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { act, newRoom, pass, ran, steeredByClock, wholeOf } from "../state/steered-room.ts";
import { DAY, deploy, deployTo, HOUR, receiverOf, rollBack, withDurability } from "./deploys.ts";

steeredByClock();

it.each<[Durability, Durability]>([
  ["logged", "none"],
  ["none", "logged"],
  ["logged", "behind"],
])(
  "a state is the same after a deploy from %s to %s, and after changes there",
  async (from, to) => {
    const logged = vi.spyOn(console, "error");
    const name = newRoom("odd");
    await withDurability(name, from);
    for (let n = 0; n < 5; n++) await act(name, "add", 1);
    await withDurability(name, to);
    expect(await wholeOf(name)).toMatchObject({ count: 5 });
    for (let n = 0; n < 2; n++) await act(name, "add", 1);
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toMatchObject({ count: 7 });
    await withDurability(name, from);
    await act(name, "add", 1);
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toMatchObject({ count: 8 });
    expect(logged).not.toHaveBeenCalled();
  },
);

it("a state has what is done after the loss of the log", async () => {
  const logged = vi.spyOn(console, "error");
  const name = newRoom("odd");
  for (let n = 0; n < 5; n++) await act(name, "add", 1);
  const drop = "DROP TABLE log";
  await runInDurableObject(roomAt(name), (_, { storage }) => void storage.sql.exec(drop));
  await evictDurableObject(roomAt(name));
  expect(await wholeOf(name)).toMatchObject({ count: 1 });
  await act(name, "add", 1);
  await evictDurableObject(roomAt(name));
  expect(await wholeOf(name)).toMatchObject({ count: 2 });
  expect(logged).toHaveBeenCalledWith(expect.stringContaining("storage_corrupt"));
});

it("answers of runs are known after a deploy to a log without entries", async () => {
  const name = newRoom("odd");
  const run = { action: "add", args: [1], key: "once" };
  await ran(name, run);
  await withDurability(name, "none");
  expect(await ran(name, run)).toEqual({ result: 1, repeated: true });
});

it("a log that kept nothing for a time recovers nobody across that time, and has none of before", async () => {
  const name = "relayed/group:unlogged-for-a-time";
  const before = await roomAt(name).publish({ target: "said", params: '["before"]' });
  await withDurability(name, "none");
  await roomAt(name).publish({ target: "said", params: '["unlogged"]' });
  await withDurability(name, "logged");
  expect(await roomAt(name).missed(before)).toMatchObject({ entries: [], recovered: false });
  expect((await roomAt(name).history({})).entries).toEqual([]);
});

/** With changes that the log alone has, and an action that is due in twelve hours. */
async function scheduledRoom(): Promise<string> {
  const name = newRoom("odd");
  for (let n = 0; n < 5; n++) await act(name, "add", 1);
  await act(name, "later", 12 * HOUR, 1);
  await pass(name, 10, 5);
  return name;
}

describe.each(["its hub", "its state"] as const)("a deploy that does not know %s", (what) => {
  it("keeps a room's state for a roll-forward, which does what was due meanwhile", async () => {
    const name = await scheduledRoom();
    const forward = await rollBack(name, what);
    await pass(name, 2 * DAY, HOUR);
    await forward();
    expect(await wholeOf(name)).toMatchObject({ count: 5 });
    await pass(name, DAY, HOUR);
    expect(await wholeOf(name)).toMatchObject({ count: 6 });
  });

  it("keeps it for a month, and begins to count anew after a roll-forward", async () => {
    const name = await scheduledRoom();
    const forward = await rollBack(name, what);
    await pass(name, 20 * DAY, 6 * HOUR);
    await forward();
    await pass(name, 15 * DAY, 6 * HOUR);
    await act(name, "later", 60 * DAY, 1);
    await rollBack(name, what);
    await pass(name, 20 * DAY, 6 * HOUR);
    expect((await storedIn(roomAt(name))).tables).toBeGreaterThan(0);
    await pass(name, 20 * DAY, 6 * HOUR);
    expect(await storedIn(roomAt(name))).toEqual(NOTHING);
  });
});

describe("a deploy whose hub does not take an action that is due", () => {
  /** The room's hub is changed until the function that is returned is called. */
  async function changed(
    name: string,
    change: (spec: StateSpec) => Partial<StateSpec>,
  ): Promise<() => void> {
    const receiver = await receiverOf(name);
    const before = { ...receiver };
    const back = () => void Object.assign(receiver, before);
    onTestFinished(back);
    receiver.state = (...about) => {
      const spec = before.state!(...about);
      return spec && Object.assign(Object.create(spec) as StateSpec, change(spec));
    };
    await evictDurableObject(roomAt(name));
    return back;
  }

  type Run = Parameters<StateSpec["prepare"]>[0];
  /** As if `tick` were called otherwise. */
  const calling = (other: Partial<Run>) => (spec: StateSpec) => ({
    prepare: (run: Run) => spec.prepare(run.action === "tick" ? { ...run, ...other } : run),
  });
  const scheduled = async () => {
    const name = newRoom("odd");
    await act(name, "later", 60, 1);
    return name;
  };

  describe.each([
    ["has no such action", calling({ action: "gone" })],
    ["has other arguments", calling({ args: '["text"]' })],
  ])("since it %s", (_, change) => {
    it("keeps it for a roll-forward, which runs it", async () => {
      const name = await scheduled();
      const back = await changed(name, change);
      await pass(name, HOUR, 60);
      expect(await roomAt(name).schedule()).toMatchObject([{ id: "tick", failures: 1 }]);
      back();
      await evictDurableObject(roomAt(name));
      await pass(name, HOUR / 2, 60);
      expect(await wholeOf(name)).toMatchObject({ count: 1 });
      expect(await roomAt(name).schedule()).toEqual([]);
    });

    it("gives it up after a month", async () => {
      const name = await scheduled();
      await changed(name, change);
      await pass(name, 45 * DAY, DAY / 2);
      expect(await roomAt(name).schedule()).toMatchObject([{ id: "tick", failures: 5 }]);
    });
  });

  it.each(["method_not_found", "invalid_arguments"] as const)(
    "gives it up after three minutes where the action itself throws %s",
    async (code) => {
      const name = await scheduled();
      const apply = () => {
        throw new HubError(code, "Not so.");
      };
      await changed(name, () => ({ apply }));
      await pass(name, 240, 5);
      expect(await roomAt(name).schedule()).toMatchObject([{ id: "tick", failures: 5 }]);
    },
  );
});

it("messages are kept while their hub is not served", async () => {
  const name = "relayed/group:unserved";
  await deploy(name, { history: { size: 100, ttlSeconds: 30 * DAY } });
  await roomAt(name).publish({ target: "said", params: '["kept"]' });
  await pass(name, 10, 5);
  const forward = await rollBack(name, "its hub");
  await pass(name, DAY, HOUR);
  await forward();
  expect((await roomAt(name).history({})).entries).toHaveLength(1);
});

it("a service erases a state that the deploy does not know", async () => {
  const name = await scheduledRoom();
  const forward = await rollBack(name, "its state");
  await roomAt(name).erase();
  await forward();
  expect(await wholeOf(name)).toEqual({ count: 0, notes: {} });
  expect(await roomAt(name).schedule()).toEqual([]);
});

it("a relay that kept no positions for a time delivers nothing twice", async () => {
  using alice = await connected("remembering", { user: "positions", query: "client=phone" });
  const relay = relayOf("remembering", alice.id);
  const room = roomAt("remembering/group:positions");
  const say = async (word: string) => {
    await room.publish({ target: "said", params: JSON.stringify([word]) });
    await alice.hears(word);
  };
  await alice.call("join", "positions");
  await say("with");
  const forward = await deployTo(relay, "remembering", { rememberGroups: 0 });
  await say("without");
  await forward();
  await say("again");
  await alice.call("whoami");
  expect(alice.texts).toEqual(["with", "without", "again"]);
});

it("users who were connected are online after a deploy that turns `online` on, and only they", async () => {
  // A tenant without users of the files before.
  const [tenant, claims] = ["online", { tid: "online" }];
  const all = roomAt("relayed/all", tenant);
  const online = async () => {
    const { members } = (await all.presence({})) as PresenceView;
    return members.map(({ userId }) => userId);
  };
  using alice = await connected("relayed", { user: "online-alice", claims });
  const bob = await connected("relayed", { user: "online-bob", claims });
  const relays = [alice, bob].map(({ id }) => relayOf("relayed", id, tenant));
  const turn = async (on: boolean) => {
    await deployTo(all, "relayed", { online: on });
    // They may be one.
    for (const relay of relays) await evictDurableObject(relay).catch(() => {});
  };
  await turn(true);
  await vi.waitFor(async () => expect(await online()).toEqual(["online-alice", "online-bob"]));
  await turn(false);
  bob.socket.close(1000);
  await bob.closed;
  await turn(true);
  await vi.waitFor(async () => expect(await online()).toEqual(["online-alice"]));
});

/** As a later deploy would, which has another codec. */
function withUnknownCodec(_: unknown, state: DurableObjectState): void {
  for (const socket of state.getWebSockets()) {
    const attached = JSON.parse(new TextDecoder().decode(socket.deserializeAttachment()));
    const text = JSON.stringify({ ...attached, protocol: "of a later deploy" });
    socket.serializeAttachment(new TextEncoder().encode(text));
  }
}

it("a room closes connections whose codec it does not know, and serves on", async () => {
  const room = roomAt("relayed/group:codecs");
  using alice = await enter("relayed/group:codecs");
  await runInDurableObject(room, withUnknownCodec);
  await evictDurableObject(room);
  expect((await room.publish({ target: "said", params: '["on"]' })).offset).toBeGreaterThan(0);
  expect((await alice.closed).code).toBe(CLOSE.interrupted);
});

it("a relay forgets connections whose codec it does not know, and serves on", async () => {
  using alice = await connected("resuming", {
    user: "codecs",
    query: "useStatefulReconnect=true",
    version: 2,
  });
  const relay = relayOf("resuming", alice.id);
  await runInDurableObject(relay, (one, state) => {
    withUnknownCodec(one, state);
    const change = "json_set(attached, '$.protocol', 'of a later deploy')";
    state.storage.sql.exec(`UPDATE resumables SET attached = ${change}`);
  });
  await evictDurableObject(relay);
  using again = await connected("resuming", { user: "codecs" });
  expect(await again.call("kept", "nothing")).toMatchObject({ result: null });
  expect((await alice.closed).code).toBe(CLOSE.interrupted);
});
