// How often a relay looks for lost clients: each `sweepSeconds` where anybody could tell that one is gone, once an hour
// where nobody could, and before somebody sees who is there. In the workerd engine; the clock is the test's.

import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { alarmOf, alarmsOfThirdHour } from "../alarms.ts";
import { Client, token, upgrade } from "../client.ts";
import { negotiate, relayOf } from "./client.ts";

const HOUR_MS = 3_600_000;
/** Longer than a client may be silent. */
const SILENT_MS = 80_000;

let tenant = "";
beforeEach(({ task }) => {
  tenant = `resting-${task.id}`;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => void vi.useRealTimers());

interface Entered {
  readonly id: string;
  readonly client: Client;
}

const PINGS = "heartbeat=1";

/** A client of the whole hub. With `heartbeat=1` it is lost when it does not ping; without, its socket is enough. */
async function enter(hub: string, user: string, claims = {}, query = ""): Promise<Entered> {
  const exp = Math.floor(Date.now() / 1000) + 10 * 3600;
  const bearer = await token(user, { tid: tenant, exp, ...claims });
  const response = await upgrade(`/hubs/${hub}/rpc?access_token=${bearer}&${query}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const client = new Client(response.webSocket);
  onTestFinished(() => client[Symbol.dispose]());
  const { params } = await client.heardFrame(({ method }) => method === "$/connected");
  return { id: params.connectionId, client };
}

const relay = (hub: string, { id }: Entered) => relayOf(hub, id, tenant);
async function usersAt(hub: string, entered: Entered): Promise<string[]> {
  const members = await relay(hub, entered).membersIn({ room: "all", after: "", limit: 10 });
  return members.map(({ userId }) => userId);
}
/** The client is lost half open, and its relay falls asleep. */
async function lose(hub: string, lost: Entered): Promise<void> {
  vi.setSystemTime(Date.now() + SILENT_MS);
  await evictDurableObject(relay(hub, lost));
}

describe("a relay looks for lost clients", () => {
  it("once an hour, where they are in no room that counts them", async () => {
    expect(await alarmsOfThirdHour(relay("relayed", await enter("relayed", "ann")))).toBe(1);
  });

  it("each two minutes, where a room counts them", async () => {
    const ann = await enter("relayed", "ann", { channels: ["group:one"] });
    expect(await alarmsOfThirdHour(relay("relayed", ann))).toBe(30);
  });

  it("each two minutes, where the hub's code runs when a client is gone", async () => {
    expect(await alarmsOfThirdHour(relay("greeting", await enter("greeting", "ann")))).toBe(30);
  });

  it("within two minutes, where a call is under way", async () => {
    const ann = await enter("relayed", "ann");
    await alarmsOfThirdHour(relay("relayed", ann));
    expect((await alarmOf(relay("relayed", ann)))! - Date.now()).toBeGreaterThan(HOUR_MS / 2);
    ann.client.send('{"jsonrpc":"2.0","method":"forever","id":"long"}');
    const soon = async () => (await alarmOf(relay("relayed", ann)))! - Date.now();
    await expect.poll(soon).toBeLessThanOrEqual(120_000);
  });
});

describe("a lost client that no sweep has found is not shown", () => {
  it("to an account or a room that asks for connections", async () => {
    const ann = await enter("relayed", "ann", {}, PINGS);
    await lose("relayed", ann);
    const command = relay("relayed", ann).command({ user: "ann" }, []);
    expect(await command).toEqual({ matched: 0, present: 0 });
    const ben = await enter("relayed", "ben", {}, PINGS);
    await lose("relayed", ben);
    expect(await usersAt("relayed", ben)).toEqual([]);
  });

  it("while another client's call is under way there", async () => {
    const [ann, ben] = [await enter("five", "ann", {}, PINGS), await enter("five", "ben")];
    await lose("five", ann);
    ben.client.send('{"jsonrpc":"2.0","method":"forever","id":"long"}');
    // Refused at once, when the other call is under way.
    await ben.client.call("none");
    expect(await usersAt("five", ben)).toEqual(["ben"]);
  });

  it("when another client there has just come into a room that counts it", async () => {
    const [ann, ben] = [await enter("five", "ann", {}, PINGS), await enter("five", "ben")];
    await lose("five", ann);
    await ben.client.call("join", ["one"]);
    expect(await usersAt("five", ben)).toEqual(["ben"]);
  });

  it("to the hub's code in the relay itself, which asks it something", async () => {
    const [ann, ben] = [await enter("five", "ann", {}, PINGS), await enter("five", "ben")];
    await lose("five", ann);
    const { error } = await ben.client.call("askOther", [ann.id, "there?"]);
    expect(error?.data).toMatchObject({ code: "connection_not_found" });
  });

  it("and has no seat in a relay that is full of clients and seats", async () => {
    const all: Entered[] = [];
    for (const user of ["ann", "ben", "cid", "dan"]) all.push(await enter("five", user, {}, PINGS));
    await lose("five", all[0]!);
    await negotiate("five", { user: "eve", claims: { tid: tenant } });
    const next = await enter("five", "fay");
    expect(next.id.split("@")[1]).toBe(all[0]!.id.split("@")[1]);
  });

  it("and has no seat in a relay that is full", async () => {
    const all: Entered[] = [];
    for (const user of ["ann", "ben", "cid", "dan", "eve"])
      all.push(await enter("five", user, {}, PINGS));
    const [first] = all as [Entered];
    expect(new Set(all.map(({ id }) => id.split("@")[1])).size).toBe(1);
    await lose("five", first);
    const next = await enter("five", "fay");
    expect(next.id.split("@")[1]).toBe(first.id.split("@")[1]);
  });
});
