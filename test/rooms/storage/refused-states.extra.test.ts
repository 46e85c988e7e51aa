// Rooms whose stored state a deploy does not take: its schema refuses it, or its migration throws. What is stored is
// the same for a deploy that takes it, whatever happened meanwhile.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, onTestFinished } from "vitest";
import type { StateSpec } from "../../../src/rooms/rpc/state-rpc.ts";
import { HubError } from "../../../src/model/errors.ts";
import { steering } from "../../support/steered-hub.ts";
import { roomAt } from "../client.ts";
import { act, newRoom, pass, ran, steeredByClock, wholeOf } from "../state/steered-room.ts";
import { HOUR, receiverOf } from "./deploys.ts";

steeredByClock();

/** A deploy whose schema refuses the state, or whose migration does. Gives what takes it back. */
const DEPLOYS = {
  "its schema refuses": async (name: string) => {
    const receiver = await receiverOf(name);
    const before = { ...receiver };
    const back = () => void Object.assign(receiver, before);
    onTestFinished(back);
    const check = () => {
      throw new HubError("invalid_state", "Another schema.");
    };
    receiver.state = (...about) => {
      const spec = before.state!(...about);
      return spec && Object.assign(Object.create(spec) as StateSpec, { check });
    };
    return back;
  },
  "its migration cannot change": async () => {
    steering.migrations = [
      () => {
        throw new Error("A bug.");
      },
    ];
    return () => void (steering.migrations = []);
  },
} as const;

describe.each(Object.keys(DEPLOYS) as (keyof typeof DEPLOYS)[])("a state that %s", (why) => {
  it("is not lost with messages that come meanwhile, nor are answers of runs", async () => {
    const name = newRoom();
    await act(name, "add", 1);
    // Its change is in one row with its message, which later messages overwrite.
    const run = { action: "tell", args: [name.slice("steered/group:".length)], key: "once" };
    await ran(name, run);
    const back = await DEPLOYS[why](name);
    await evictDurableObject(roomAt(name));
    for (let n = 0; n < 150; n++) await roomAt(name).publish({ target: "said", params: `[${n}]` });
    back();
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toEqual({ count: 2 });
    expect(await ran(name, run)).toMatchObject({ repeated: true });
  });

  it("is kept where messages expire, and asks for no alarm after that", async () => {
    const name = newRoom();
    await act(name, "add", 1);
    await act(name, "tell", name.slice("steered/group:".length));
    const back = await DEPLOYS[why](name);
    await evictDurableObject(roomAt(name));
    await pass(name, HOUR, 60);
    const text = "SELECT entries FROM log";
    const [rows, alarm] = await runInDurableObject(roomAt(name), async (_, { storage }) => [
      storage.sql.exec(text).toArray(),
      await storage.getAlarm(),
    ]);
    expect([rows, alarm]).toEqual([[{ entries: "[]" }], null]);
    back();
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toEqual({ count: 2 });
  });
});
