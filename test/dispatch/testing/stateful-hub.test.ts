// Hubs in memory that have both a state and methods.

import { expect, it } from "vitest";
import * as z from "zod";
import { statefulRoomOf } from "../../../src/dispatch/context/stateful-rooms.ts";
import { calling, callingRoom, world } from "../../../src/dispatch/testing/testing.ts";
import { action, hub, method, signedIn } from "../../../src/hub.ts";

const CountHub = hub<{ counted(by: number): void }>("count", {
  rooms: { group: { enter: signedIn } },
  joined: ({ clients, room, user, trace }) =>
    clients.group(room.name).counted(user.id.length + (trace === undefined ? 0 : 100)),
})
  .state("group", { schema: z.object({ count: z.number() }), initial: { count: 0 } })
  .actions({
    add: action([z.number()], ({ state }, by) => (state.count += by)),
    leader: action([], (): string | null => null),
    reset: action([], ({ state }) => void (state.count = 0)),
  })
  .methods({
    announce: method([z.string(), z.number()], async ({ clients }, name, by) => {
      await clients.group(name).counted(by);
      return by * 2;
    }),
    increase: method([z.string()], ({ group }, name) => group(name).run.add(1)),
  });

it("`calling` runs their methods and hooks", async () => {
  const { invoke, hooks, sent } = calling(CountHub, { room: "group:a" });
  expect(await invoke.announce("a", 2)).toBe(4);
  await hooks.joined("bob", "group:a");
  expect(sent).toEqual([
    { to: "group:a", method: "counted", args: [2] },
    { to: "group:a", method: "counted", args: [3] },
  ]);
});

it("`calling` says where a method that needs a state can be tested", async () => {
  const { invoke } = calling(CountHub, { room: "group:a" });
  await expect(invoke.increase("a")).rejects.toMatchObject({
    code: "method_not_found",
    message: expect.stringContaining("in workerd"),
  });
});

it("a world has their callers; rooms have no state in it", async () => {
  const count = world(CountHub);
  const heard: number[] = [];
  const handlers = { counted: (by: number) => void heard.push(by) };
  const alice = await count.connect({ room: "group:a", handlers });
  await count.settled();
  expect(await alice.invoke.announce("a", 2)).toBe(4);
  await count.clients.group("a").counted(7);
  await count.settled();
  expect(heard).toEqual([5, 2, 7]);
  await expect(alice.invoke.increase("a")).rejects.toMatchObject({
    code: "method_not_found",
    message: expect.stringContaining("in `world`: test actions by `callingRoom`"),
  });
});

it("`callingRoom` runs their actions", async () => {
  const room = callingRoom(CountHub);
  expect(await room.run.add(2)).toBe(2);
  expect(room.state).toEqual({ count: 2 });
});

it("`callingRoom` and hub code have the null of an action, which is not undefined", async () => {
  const room = callingRoom(CountHub);
  const leader: string | null = await room.run.leader();
  expect(leader).toBeNull();
  expect(await room.run.reset()).toBeNull();
  const { run } = statefulRoomOf({
    host: { states: { runAndSave: async () => ({ result: "null" }) } },
    served: { state: { declaration: { kind: "group" } } },
    topic: { kind: "group", name: "a" },
    caller: { user: { id: "alice" }, id: "1", attached: {} },
  } as never)!;
  expect(await run["leader"]!()).toBeNull();
});
