// Rooms with state as Server-Sent Events: a snapshot at a position, then every change, and both after a break.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { applyPatch } from "../../../src/model/merge-patch.ts";
import { enter, roomAt } from "../../rooms/client.ts";
import { listen, type Told } from "./listener.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const STARTS = ["connected", "recovered", "reset"];

/** The copy of a reader of one room, after these events. */
function copyOf(told: readonly Told[], before?: unknown): unknown {
  let copy = before;
  for (const { event = "", data } of told) {
    if (STARTS.includes(event) && "state" in data) copy = data.state;
    if (event === "state") copy = "state" in data ? data.state : applyPatch(copy, data.patch);
  }
  return copy;
}

const run = (action: string, ...args: unknown[]) =>
  ({ method: "$/run", params: { action, params: args } }) as const;

async function roomOf(hub: string) {
  const name = crypto.randomUUID();
  const alice = await enter(`${hub}/group:${name}`);
  const act = async (action: string, ...args: unknown[]) => {
    const { method, params } = run(action, ...args);
    return (await alice.call(method, params)).result.position as string;
  };
  const path = `/hubs/${hub}/groups/${name}`;
  onTestFinished(() => alice[Symbol.dispose]());
  return { name, act, path, room: `group:${name}` };
}

describe("a room's state as events", () => {
  it("[ST5][ST7] is in the first event, and then changes before the messages of their action", async () => {
    const { act, path, room } = await roomOf("odd");
    await act("add", 5);
    const events = await listen(path, {}, "bob");
    const hello = await events.next(({ event }) => event === "connected");
    expect(hello.data.state).toEqual({ notes: {}, count: 5 });
    const position = await act("add", 1);
    await events.next(({ event, id }) => event === "added" && id === position);
    const [change, added] = events.told.slice(-2);
    expect(change).toEqual({
      event: "state",
      id: change!.id,
      data: { room, position: change!.id, patch: { count: 6 } },
    });
    expect([added!.event, added!.data]).toEqual(["added", [6]]);
  });

  it("[ST6] goes on after the last event's id: by changes, or by a snapshot where that is smaller", async () => {
    const { act, path } = await roomOf("odd");
    await act("fill", 2_000);
    const events = await listen(path, {}, "bob");
    await events.next(({ event }) => event === "connected");
    const id = await act("add", 1);
    await events.next((one) => one.id === id);
    await events.stop();
    const copy = copyOf(events.told);
    const last = await act("add", 1);
    const near = await listen(path, { "last-event-id": id }, "bob");
    await near.next((one) => one.id === last);
    expect(near.told.map(({ event }) => event)).toEqual(["recovered", "state", "added"]);
    expect(near.told[0]!.data.state).toBeUndefined();
    expect(copyOf(near.told, copy)).toMatchObject({ count: 2 });
    for (let n = 1; n < 4; n++) await act("fill", 2_000 + n);
    const far = await listen(path, { "last-event-id": id }, "bob");
    const start = await far.next(({ event }) => event === "recovered");
    expect(start.data.state.notes.fill).toHaveLength(
      2_003 - '{"notes":{"fill":""},"count":2}'.length,
    );
    const lost = await listen(path, { "last-event-id": "elsewhere:1" }, "bob");
    const reset = await lost.next(({ event }) => event === "reset");
    expect(reset.data.state).toEqual(start.data.state);
  });

  it("[F11] is whole after the room's object was aborted, and after an erasure", async () => {
    const { name, act, path } = await roomOf("odd-behind");
    await act("add", 3);
    const events = await listen(path, {}, "bob");
    await events.next(({ event }) => event === "connected");
    const stub = roomAt(`odd-behind/group:${name}`);
    await runInDurableObject(stub, (_, state) => state.abort("test")).catch(() => {});
    await events.next(({ event }) => event === "reset" || event === "recovered");
    const again = roomAt(`odd-behind/group:${name}`);
    const user = { id: "carol", tenant: "default", roles: [], claims: {}, caps: [], channels: [] };
    const by = { ...user, expiresAt: Infinity };
    await again.runAction({ action: "add", args: "[4]", user: by });
    const { text } = (await again.wholeState()) as { text: string };
    await expect.poll(() => copyOf(events.told)).toEqual(JSON.parse(text));
    const { epoch } = await again.erase();
    const begun = await events.next(({ id }) => id === `${epoch}:0`);
    expect(begun).toMatchObject({ event: "state", data: { state: { notes: {}, count: 0 } } });
    await again.runAction({ action: "add", args: "[2]", user: by });
    await expect.poll(() => copyOf(events.told)).toEqual({ notes: {}, count: 2 });
  });

  it("of several rooms names the room", async () => {
    const [one, two] = [await roomOf("odd"), await roomOf("odd")];
    const events = await listen(`${one.path}?rooms=${two.room}`, {}, "bob");
    for (const { room } of [one, two]) await events.next(({ data }) => data?.room === room);
    await one.act("add", 1);
    await two.act("add", 2);
    const changes = () => events.told.filter(({ event }) => event === "state");
    await expect.poll(() => changes().length).toBe(2);
    const byRoom = Object.fromEntries(changes().map(({ data }) => [data.room, data.patch]));
    expect(byRoom).toEqual({ [one.room]: { count: 1 }, [two.room]: { count: 2 } });
  });

  it("[F20] is not there where clients see none", async () => {
    const { act, path } = await roomOf("odd-hidden");
    const events = await listen(path, {}, "bob");
    const hello = await events.next(({ event }) => event === "connected");
    expect("state" in hello.data).toBe(false);
    await act("add", 1);
    await events.next(({ event }) => event === "added");
    expect(events.told.filter(({ event }) => event === "state")).toEqual([]);
  });
});
