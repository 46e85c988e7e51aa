// The rooms in the connect webhook's request, and lifetimes and limits in its answer.

import { describe, expect, it } from "vitest";
import { connected } from "../rooms/relay/client.ts";
import {
  ask,
  codeOf,
  granting,
  inRoom,
  receiver,
  upgrading,
  withConnectWebhook,
} from "./connect-fixture.ts";

withConnectWebhook();

describe("the question", () => {
  it("has every room of a stream, however its client asks for them", async () => {
    receiver.answer = () => new Response(null, { status: 403 });
    const [a, b] = ["group:s1", "group:s2"];
    const stream = { headers: { accept: "text/event-stream", "x-much": "x".repeat(3_000) } };
    const filling = "x".repeat(1_000);
    for (const query of [
      `rooms=${b}`,
      `rooms=${b}&rooms=`,
      `room=${b}&room=${a}`,
      `rooms=${b},${a},${encodeURIComponent(`group:${"y".repeat(120)}`)}&filling=${filling}`,
    ])
      await ask(`/hubs/chat/groups/s1?${query}`, stream);
    const told = receiver.requests.map(({ events: [event] }) => event!.data.rooms);
    expect(told).toEqual([
      [a, b],
      [a, b],
      [a, b],
      [a, b, `group:${"y".repeat(120)}`],
    ]);
    await ask(`/hubs/chat/groups/s1?rooms=${b}`, upgrading);
    expect(receiver.requests.at(-1)!.events[0]!.data).not.toHaveProperty("rooms");
  });
});

describe("the answer", () => {
  it("says no longer a lifetime to SignalR's clients than there is", async () => {
    const now = Math.floor(Date.now() / 1000);
    const seconds = async (exp: number) => {
      receiver.answer = granting({ exp: now + exp });
      const answer = await ask("/hubs/chat/negotiate?negotiateVersion=1", { method: "POST" });
      return (await answer.json<{ tokenLifetimeSeconds: number }>()).tokenLifetimeSeconds;
    };
    expect(await seconds(7_200)).toBeLessThanOrEqual(3_600);
    expect(await seconds(100)).toBeLessThanOrEqual(100);
    using alice = await connected("chat");
    const path = `/hubs/chat/refresh?id=${encodeURIComponent(alice.token)}`;
    const { tokenLifetimeSeconds } = await (
      await ask(path, { method: "POST" })
    ).json<{ tokenLifetimeSeconds: number }>();
    expect(tokenLifetimeSeconds).toBeLessThanOrEqual(100);
  });

  it("is none where a number of it would be changed", async () => {
    for (const claims of ['{"plan":9007199254740993}', '{"plan":{"a":[1e400]}}']) {
      receiver.answer = () => new Response(`{"claims":${claims}}`);
      await expect(inRoom("chat/group:numbers")).rejects.toThrow("503");
    }
  });

  it("has no claims where they are null, and is none where its lifetime is no time", async () => {
    for (const none of ["null", '{"claims":null}', '{"claims":{"exp":null}}']) {
      receiver.answer = () => new Response(none);
      (await inRoom("chat/group:null")).socket.close(1000);
    }
    for (const exp of [true, [], ""]) {
      receiver.answer = granting({ exp });
      await expect(inRoom("chat/group:null")).rejects.toThrow("503");
    }
  });

  it("may lower limits, and is refused where it does not understand them", async () => {
    receiver.answer = granting({ limits: { callsPerSecond: 1, callBurst: 2 } });
    const client = await inRoom("chat/group:limited");
    const codes = [1, 2, 3].map(async () => codeOf(await client.call("$/history")));
    expect(await Promise.all(codes)).toEqual([undefined, undefined, "rate_limited"]);
    receiver.answer = granting({ limits: { callsPerSecond: 0 } });
    await expect(inRoom("chat/group:limited")).rejects.toThrow("503");
  });
});
