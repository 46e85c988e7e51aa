// Rooms with state for clients of relays: sockets of the whole hub, of JSON-RPC and SignalR.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client, enter, roomAt, token, upgrade, type Frame } from "../client.ts";
import { parsePosition } from "../../../src/model/topic.ts";
import { connected, relayOf } from "../relay/client.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

async function hubSocket(hub: string, user = "alice"): Promise<Client> {
  const response = await upgrade(`/hubs/${hub}/rpc?access_token=${await token(user)}`);
  return new Client(response.webSocket!);
}
const isState = ({ method }: Frame) => method === "$/state";

describe("a member on a relay", () => {
  it("[ST5][ST6] gets a snapshot before the answer to its join, then every change", async () => {
    const name = crypto.randomUUID();
    using own = await enter(`odd/group:${name}`, { user: "bob" });
    await own.call("add", [5]);
    using alice = await hubSocket("odd");
    const joined = await alice.call("$/join", { room: `group:${name}` });
    expect(joined.result).toMatchObject({ recovered: false, replayed: 0 });
    const snapshot = alice.heard.find(isState)!;
    expect(snapshot).toMatchObject({
      room: `group:${name}`,
      position: joined.result.position,
      params: { state: { notes: {}, count: 5 } },
    });
    expect(alice.heard.indexOf(snapshot)).toBeLessThan(alice.heard.findIndex(({ id }) => id));
    await own.call("add", [1]);
    // Polled: the test must not go on inside the room's object.
    const isChange = (frame: Frame) => isState(frame) && frame.params.patch;
    await expect.poll(() => alice.heard.some(isChange)).toBe(true);
    expect(alice.heard.find(isChange)!.params).toEqual({ patch: { count: 6 } });
  });

  it("[ST8] gets patch, message and answer of its own action in this order", async () => {
    const name = crypto.randomUUID();
    using alice = await hubSocket("odd");
    await alice.call("$/join", { room: `group:${name}` });
    for (let n = 1; n <= 20; n++) {
      const { result } = await alice.call("add", [name, 1]);
      expect(result).toBe(n);
    }
    const heard = alice.heard.slice(alice.heard.findIndex(({ id }) => id) + 1);
    const kinds = heard
      .map(({ method }) => method ?? "answer")
      .filter((one) => one !== "$/presence");
    expect(kinds).toEqual(Array.from({ length: 20 }, () => ["$/state", "added", "answer"]).flat());
  });

  it("runs actions of a room that it has not joined, if it may enter it", async () => {
    using alice = await hubSocket("auctions");
    const key = { idempotencyKey: "once" };
    const params = { room: "group:vase", action: "bid", params: [10], ...key };
    const first = await alice.call("$/run", params);
    expect(first.result).toMatchObject({ result: 10, repeated: false });
    expect((await alice.call("$/run", params)).result).toEqual({ ...first.result, repeated: true });
    const low = await alice.call("bid", ["vase", 5]);
    expect(low.error).toMatchObject({ data: { code: "too_low" }, message: "10 is bid already." });
    const foreign = { room: "order:vase", action: "bid", params: [20] };
    expect((await alice.call("$/run", foreign)).error?.data.code).toBe("method_not_found");
  });

  it("gets a snapshot in place of a reset, after the room has begun a new epoch", async () => {
    const name = crypto.randomUUID();
    using alice = await hubSocket("odd");
    await alice.call("$/join", { room: `group:${name}` });
    await alice.call("add", [name, 3]);
    await roomAt(`odd/group:${name}`).erase();
    const epoch = alice.heard.find(isState)!.position!.split(":")[0]!;
    const isNew = ({ position }: Frame) => !position!.startsWith(`${epoch}:`);
    const erased = await alice.next((frame) => isState(frame) && isNew(frame));
    expect(erased.params).toEqual({ state: { notes: {}, count: 0 } });
    expect(alice.heard.some(({ method }) => method === "$/reset")).toBe(false);
  });
});

describe("a reset of a room with state", () => {
  it("[ST6] sets no member back that has joined with a newer snapshot meanwhile", async () => {
    const room = `group:${crypto.randomUUID()}`;
    using own = await enter(`odd-quiet/${room}`, { user: "bob" });
    await own.call("add", [5]);
    using alice = await connected("odd-quiet", { claims: { channels: [room] } });
    const isSnapshot = ({ target }: { target?: string }) => target === "RoomState";
    const snapshot = await alice.record(isSnapshot);
    const { epoch, offset } = parsePosition(snapshot.arguments![2] as string);
    const reset = (at: number, count: number) => ({
      ...{ room, epoch, after: at, entries: [], reset: true, from: offset },
      state: { text: `{"notes":{},"count":${count}}`, position: { epoch, offset: at } },
    });
    const relay = relayOf("odd-quiet", alice.id);
    expect(await relay.deliver(reset(offset - 1, 4))).toEqual({ kind: "taken" });
    expect(await relay.deliver(reset(offset + 1, 6))).toEqual({ kind: "taken" });
    await expect
      .poll(() => alice.heard.filter(isSnapshot).map((one) => one.arguments![1]))
      .toEqual([5, 6].map((count) => ({ notes: {}, count })));
  });
});

describe("hub code", () => {
  it("reads a state, and runs actions and internal ones, also in rooms elsewhere", async () => {
    const name = crypto.randomUUID();
    using alice = await hubSocket("auctions");
    expect((await alice.call("bid", [name, 7])).result).toBe(7);
    expect((await alice.call("double", [name])).result).toBe(14);
    await alice.call("finish", [name]);
    expect((await alice.call("bid", [name, 100])).error?.data.code).toBe("auction_closed");
    using own = await enter(`auctions/group:${name}`, { user: "bob" });
    expect(own.hello.params.state).toMatchObject({ price: 14, sold: true });
    expect((await own.call("double", [name])).error?.data.code).toBe("auction_closed");
  });
});

it("rpc.discover has actions and the state that clients see, and nothing internal", async () => {
  const documentOf = async (hub: string) => {
    using alice = await hubSocket(hub);
    return (await alice.call("rpc.discover")).result;
  };
  const auctions = await documentOf("auctions");
  const names = auctions.methods.map(({ name }: { name: string }) => name);
  expect(names).toEqual(["join", "double", "finish"]);
  expect(auctions["x-actions"]).toMatchObject([
    { name: "bid", params: [{ name: "arg1", required: true, schema: { type: "integer" } }] },
  ]);
  expect(auctions["x-state"]).toMatchObject({
    ...{ kind: "group", schema: { properties: { price: { type: "number" } } } },
  });
  expect((await documentOf("odd-view"))["x-state"]).toEqual({ kind: "group", schema: {} });
  expect((await documentOf("odd-hidden"))["x-state"]).toEqual({ kind: "group" });
  expect("x-state" in (await documentOf("relayed"))).toBe(false);
});

describe("a SignalR client", () => {
  it("gets RoomState before anything else of a room that hub code put it into", async () => {
    const name = crypto.randomUUID();
    using alice = await connected("auctions");
    await alice.call("Join", name);
    await alice.call("Bid", name, 30);
    // Alice, as a user, may still be told that she was outbid in the auction of another test.
    const targets = alice.heard.map(({ target, arguments: args }) => [target, args] as const);
    const about = targets.filter(([, args]) => `${(args as unknown[])?.[0]}`.endsWith(name));
    expect(about.map(([target]) => target)).toEqual(["RoomState", "RoomPatch", "Outbid"]);
    expect(about[0]![1]).toMatchObject([`group:${name}`, { price: 0 }, expect.any(String)]);
  });

  it("runs actions in the room that RoomState names, by its topic as by its name", async () => {
    const name = crypto.randomUUID();
    using alice = await connected("auctions");
    await alice.call("Join", name);
    await alice.call("Bid", name, 30);
    await alice.call("Bid", `group:${name}`, 40);
    const patches = alice.heard.filter(({ target }) => target === "RoomPatch");
    expect(patches.map(({ arguments: args }) => args)).toMatchObject([
      [`group:${name}`, { price: 30 }, expect.any(String)],
      [`group:${name}`, { price: 40 }, expect.any(String)],
    ]);
  });
});

it("the race of ten bidders over relays has one winner for each price", async () => {
  const name = crypto.randomUUID();
  const bidders = await Promise.all(
    Array.from({ length: 10 }, (_, n) => hubSocket("auctions", `bidder-${n}`)),
  );
  for (let price = 1; price <= 5; price++) {
    const answers = await Promise.all(bidders.map((one) => one.call("bid", [name, price])));
    expect(answers.filter(({ result }) => result === price)).toHaveLength(1);
  }
  for (const one of bidders) one[Symbol.dispose]();
});
