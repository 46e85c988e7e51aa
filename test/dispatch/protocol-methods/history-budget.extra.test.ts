// Bytes of history for one connection: the hub `pinched` lets it read 5 kB at once and 100 bytes a second.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { enter, roomAt, token } from "../../rooms/client.ts";
import { exports } from "cloudflare:workers";

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => vi.useRealTimers());

const room = "pinched/group:read";
const fill = () =>
  roomAt(room).publish({ target: "said", params: JSON.stringify(["x".repeat(2_000)]) });

it("is spent by what the pages bring, and comes back with time", async () => {
  await fill();
  using eve = await enter(room, { user: "eve" });
  using bob = await enter(room, { user: "bob" });
  const read = async () => (await eve.call("$/history")).error?.data.code;
  expect([await read(), await read(), await read()]).toEqual([
    ...[undefined, undefined, "rate_limited"],
  ]);
  expect((await bob.call("$/history")).error).toBeUndefined();
  vi.setSystemTime(Date.now() + 60_000);
  expect(await read()).toBeUndefined();
});

it("is one for all HTTP requests of a user", async () => {
  await fill();
  const authorization = `Bearer ${await token("frank")}`;
  const params = { room: "group:read" };
  const read = async () => {
    const response = await exports.default.fetch("https://edge.example/hubs/pinched/rpc", {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "$/history", params }),
    });
    const { error } = await response.json<{ error?: { data: { code: string } } }>();
    return error?.data.code;
  };
  const codes: (string | undefined)[] = [];
  for (let reads = 0; reads < 4; reads++) codes.push(await read());
  expect(codes[0]).toBeUndefined();
  expect(codes.at(-1)).toBe("rate_limited");
});

it("is spent by pages of presence and by the hub's description as well", async () => {
  using eve = await enter("pinched/group:seen", { user: "eve" });
  const read = async () => (await eve.call("$/presence")).error?.data.code;
  const codes: (string | undefined)[] = [];
  for (let reads = 0; reads < 9; reads++) codes.push(await read());
  // 640 bytes each, of 5,000.
  expect(codes).toEqual([...Array.from({ length: 8 }, () => undefined), "rate_limited"]);
  vi.setSystemTime(Date.now() + 60_000);
  expect(await read()).toBeUndefined();
  expect((await eve.call("rpc.discover")).error).toBeUndefined();
  expect(await read()).toBe("rate_limited");
});

it("lets the event loop turn between the reads of a batch, read or refused", async () => {
  using eve = await enter("pinched/group:batch", { user: "eve" });
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setTimeout(count, 0);
  };
  const batch = Array.from({ length: 40 }, (_, n) => ({
    jsonrpc: "2.0",
    id: `b${n}`,
    method: "$/history",
  }));
  eve.send(batch);
  count();
  const { error } = await eve.response("b39");
  isOver = true;
  expect(error?.data.code).toBe("rate_limited");
  // Two without turns of its own.
  expect(turns).toBeGreaterThan(4);
});

it("is spent by a page that is a small part of what was published together", async () => {
  const said = { target: "said", params: JSON.stringify(["x".repeat(200)]) };
  await roomAt("pinched/group:burst").publishAll(Array.from({ length: 100 }, () => said));
  using eve = await enter("pinched/group:burst", { user: "eve" });
  const read = async () => (await eve.call("$/history", { limit: 1 })).error?.data.code;
  expect([await read(), await read()]).toEqual([undefined, "rate_limited"]);
});

it("is spent by replays of a room, but for the first", async () => {
  await roomAt("pinched/group:again").publish({
    target: "said",
    params: JSON.stringify(["x".repeat(4_000)]),
  });
  const { epoch } = (await roomAt("pinched/group:again").info()).position;
  using eve = await enter("pinched/group:beside", { user: "eve" });
  const join = async (method: string, params: object) => {
    const { error, result } = await eve.call(method, params);
    return error?.data.code ?? (result as { replayed: number }).replayed > 0;
  };
  const again = { room: "group:again", since: `${epoch}:0` };
  expect(await join("$/join", again)).toBe(true);
  expect(await join("$/join", again)).toBe(true);
  await eve.call("$/leave", { room: "group:again" });
  expect(await join("$/join", again)).toBe("rate_limited");
  expect((await eve.call("$/history")).error?.data.code).toBe("rate_limited");
  expect((await eve.call("$/join", { room: "group:again" })).error).toBeUndefined();
});
