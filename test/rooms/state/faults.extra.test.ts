// Faults of rooms with state that are not storage's: members that come and go within a flush, relays of a full room,
// connections that resume, other versions of the hub, and an abort between a commit and its frames.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { applyPatch } from "../../../src/model/merge-patch.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { Client, enter, roomAt, token, upgrade, type Frame } from "../client.ts";
import { connected, open, relayOf, SignalR } from "../relay/client.ts";
import { copyOf } from "./copy-of.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const topic = () => `group:${crypto.randomUUID()}`;
const user = { id: "svc", tenant: "default", roles: [], claims: {}, caps: [], channels: [] };
const act = async (name: string, action: string, args: unknown[], key?: string) => {
  const by = { ...user, expiresAt: Infinity };
  const more = key === undefined ? {} : { key };
  const ran = await roomAt(name).runAction({
    action,
    args: JSON.stringify(args),
    user: by,
    ...more,
  });
  return "fault" in ran ? ran.fault.code : ran;
};

async function onHub(hub: string, claims: object = {}): Promise<Client> {
  const access = await token("alice", claims as Record<string, unknown>);
  const client = new Client((await upgrade(`/hubs/${hub}/rpc?access_token=${access}`)).webSocket!);
  await client.heardFrame(({ method }) => method === "$/connected");
  return client;
}
const isState = ({ method }: Frame) => method === "$/state";
const kindsOf = (client: Client) =>
  client.heard.filter(isState).map(({ params }) => ("state" in params ? "snapshot" : "patch"));

describe("[F13] a member", () => {
  it("that joins, leaves and joins again at once gets no change before a snapshot", async () => {
    const room = topic();
    using alice = await onHub("odd");
    const call = (id: string, method: string) => ({ jsonrpc: "2.0", id, method, params: { room } });
    const running = Promise.all(Array.from({ length: 20 }, () => act(`odd/${room}`, "add", [1])));
    alice.send([call("a", "$/join"), call("b", "$/leave"), call("c", "$/join")]);
    await running;
    const { result } = await alice.response("c");
    await act(`odd/${room}`, "add", [1]);
    await expect.poll(() => copyOf(alice)).toMatchObject({ count: 21 });
    expect(kindsOf(alice)[0]).toBe("snapshot");
    expect(result.recovered).toBe(false);
  });

  it("gets nothing after it has left", async () => {
    const room = topic();
    using alice = await onHub("odd");
    using bob = await onHub("odd");
    for (const client of [alice, bob]) await client.call("$/join", { room });
    const running = Promise.all(Array.from({ length: 20 }, () => act(`odd/${room}`, "add", [1])));
    await alice.call("$/leave", { room });
    const { length } = alice.heard;
    await running;
    await expect.poll(() => copyOf(bob)).toMatchObject({ count: 20 });
    expect(alice.heard.slice(length).filter(({ room: of }) => of === room)).toEqual([]);
  });

  it("gets nothing more where a fresh token does not admit it, and a snapshot where one does", async () => {
    const room = topic();
    const name = `odd-closed/${room}`;
    const admitted = { channels: [room], caps: [{ channels: [room], allow: ["sub"] }] };
    using alice = await onHub("odd-closed", admitted);
    await expect.poll(() => kindsOf(alice)).toEqual(["snapshot"]);
    await alice.call("$/refresh", { token: await token("alice") });
    await alice.heardFrame(({ method }) => method === "$/left");
    await act(name, "add", [1]);
    expect(kindsOf(alice)).toEqual(["snapshot"]);
    await alice.call("$/refresh", { token: await token("alice", admitted) });
    await expect.poll(() => copyOf(alice)).toMatchObject({ count: 1 });
    expect(kindsOf(alice)).toEqual(["snapshot", "snapshot"]);
  });
});

describe("[F21] a client", () => {
  it("in a relay of a full room has what a socket of the room has", async () => {
    const name = `odd-full/${topic()}`;
    const clients: Client[] = [];
    for (let n = 0; n < 4; n++) clients.push(await enter(name, { user: `user-${n}` }));
    const last = clients[3]!;
    expect(last.hello.params).toMatchObject({ state: { notes: {}, count: 0 }, recovered: false });
    const ran = await last.call("$/run", { action: "add", params: [2] });
    expect(ran.result).toMatchObject({ result: 2, repeated: false });
    const after = last.heard.slice(last.heard.findIndex(isState));
    const kinds = after
      .map(({ method }) => method ?? "answer")
      .filter((one) => one !== "$/presence");
    expect(kinds).toEqual(["$/state", "added", "answer"]);
    await act(name, "add", [3]);
    for (const client of clients)
      await expect.poll(() => copyOf(client)).toMatchObject({ count: 5 });
    const since = ran.result.position as string;
    last[Symbol.dispose]();
    using again = await enter(name, { user: "user-3", since });
    await expect.poll(() => again.heard.some(({ method }) => method === "added")).toBe(true);
    const recovered =
      copyOf(again) ?? applyPatch({ count: 2 }, again.heard.find(isState)!.params.patch);
    expect(recovered).toMatchObject({ count: 5 });
    for (const client of clients) client[Symbol.dispose]();
  });

  it("of SignalR that resumes its connection has every change of meanwhile, once and in order", async () => {
    const room = topic();
    const how = { query: "useStatefulReconnect=true", version: 2, claims: { channels: [room] } };
    const alice = await connected("odd-resuming", how);
    await alice.record(({ target }) => target === "RoomState");
    for (let n = 0; n < 5; n++) await act(`odd-resuming/${room}`, "add", [1]);
    await expect.poll(() => patches(alice).at(-1)).toEqual({ count: 5 });
    await runInDurableObject(relayOf("odd-resuming", alice.id), (relay, state) => {
      const socket = state.getWebSockets().find((one) => attachedOf(one)?.id === alice.id)!;
      (relay as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
    });
    for (let n = 0; n < 5; n++) await act(`odd-resuming/${room}`, "add", [1]);
    // A token that is newer, as clients bring one: it is applied, and gives no other snapshot.
    const exp = Math.floor(Date.now() / 1000) + 7_200;
    const claims = { ...how.claims, exp };
    const { webSocket } = await open("odd-resuming", alice.token, { ...how, claims });
    const given = { connectionId: alice.id, connectionToken: alice.token };
    using again = new SignalR(webSocket!, given, true);
    await expect.poll(() => patches(again).at(-1)).toEqual({ count: 10 });
    const all = [...patches(alice), ...patches(again)].map(({ count }) => count as number);
    expect([...new Set(all)]).toEqual([...new Set(all)].toSorted((a, b) => a - b));
    await act(`odd-resuming/${room}`, "add", [1]);
    await expect.poll(() => patches(again).at(-1)).toEqual({ count: 11 });
    const snapshots = [alice, again].flatMap(({ heard }) =>
      heard.filter(({ target }) => target === "RoomState").map(({ arguments: args }) => args![2]),
    );
    expect(new Set(snapshots).size).toBe(1);
  });
});

const patches = ({ heard }: SignalR) =>
  heard
    .filter(({ target }) => target === "RoomPatch")
    .map(({ arguments: args }) => args![1] as Record<string, unknown>);

describe("[F22] a relay of another version", () => {
  it("that knows an action which the room does not is told so, and so the reverse", async () => {
    const name = `odd/${topic()}`;
    expect(await act(name, "added-later", [])).toBe("method_not_found");
    using alice = await onHub("odd");
    const run = { room: name.slice("odd/".length), action: "added-later" };
    expect((await alice.call("$/run", run)).error?.data.code).toBe("method_not_found");
  });

  it("never gets arguments of a wrong type into an action", async () => {
    const name = `odd/${topic()}`;
    for (const args of [["one"], [], [1, 2], [null], [{}], [[1]]])
      expect(await act(name, "add", args)).toBe("invalid_arguments");
    expect(await act(name, "add", [1])).toMatchObject({ result: "1" });
  });

  it("that asks a room whose hub has no state is told so", async () => {
    expect(await act(`relayed/${topic()}`, "add", [1])).toBe("method_not_found");
  });
});

describe("[F2] an abort", () => {
  it("after the commit and before its frames leaves the run done, and its key answers alike", async () => {
    for (let round = 0; round < 10; round++) {
      const name = `odd/${topic()}`;
      using alice = await enter(name);
      const running = alice.call("$/run", { action: "add", params: [1], idempotencyKey: "k" });
      for (let turn = 0; turn < round; turn++) await scheduler.wait(0);
      await runInDurableObject(roomAt(name), (_, state) => state.abort("A fault.")).catch(() => {});
      const before = await Promise.race([running, alice.closed.then(() => undefined)]);
      const first = await act(name, "add", [1], "k");
      const again = await act(name, "add", [1], "k");
      expect(again).toEqual({ ...(first as object), repeated: true });
      const whole = (await roomAt(name).wholeState()) as { text: string };
      // The key of another user is another run.
      const { count } = JSON.parse(whole.text) as { count: number };
      expect(count).toBeGreaterThanOrEqual(before?.result ? 2 : 1);
      expect(count).toBeLessThanOrEqual(2);
      using own = await enter(name);
      const mine = await own.call("$/run", { action: "add", params: [1], idempotencyKey: "k" });
      // What was answered is answered alike; else it is not known what became of it.
      const { repeated: _, ...known } = (before?.result ?? mine.result) as { repeated: boolean };
      expect(mine.result).toMatchObject(known);
      expect(mine.result.repeated || !before?.result).toBe(true);
      expect(copyOf(own)).toMatchObject({ count: 2 });
      await evictDurableObject(roomAt(name));
    }
  });
});

it("a run that changes nothing fails with the changes that it has read", async () => {
  const name = `modelled-paced/${topic()}`;
  const steps = (...given: unknown[]) =>
    act(name, "steps", [given]).then(
      (one) => (typeof one === "string" ? one : one.result),
      () => "internal",
    );
  expect(await steps(["set", ["a"], 1])).toBe('"{\\"a\\":1}"');
  const runs = [
    steps(["set", ["a"], 2]),
    steps(["delete", ["none"]]),
    steps(["set", ["poison"], true]),
  ];
  expect(await Promise.all(runs)).toEqual(["internal", "internal", "internal"]);
  expect(await steps(["delete", ["none"]])).toBe('"{\\"a\\":1}"');
});
