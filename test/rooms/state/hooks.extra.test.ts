// Hooks of a hub whose rooms have state: what they change.

import { expect, it, vi } from "vitest";
import { action, hub, internal } from "../../../src/hub.ts";
import * as z from "zod";
import { enter } from "../client.ts";

it("hooks of a room run its internal actions, as users join and leave", async () => {
  const room = `seats/group:${crypto.randomUUID()}`;
  using alice = await enter(room);
  const stateSeen = async () =>
    ((await alice.call("$/snapshot", { room: room.slice(6) })).result as { state: object }).state;
  await vi.waitFor(async () =>
    expect(await stateSeen()).toEqual({ seats: { alice: "here" }, opened: 1 }),
  );
  const bob = await enter(room, { user: "bob" });
  await vi.waitFor(async () =>
    expect(await stateSeen()).toEqual({ seats: { alice: "here", bob: "here" }, opened: 2 }),
  );
  bob.socket.close(1000);
  await vi.waitFor(async () =>
    expect(await stateSeen()).toEqual({ seats: { alice: "here" }, opened: 2 }),
  );
});

it("a hook is declared once", () => {
  const rooms = hub("seats", { left: () => {} })
    .state("group", { schema: z.object({ n: z.number() }), initial: { n: 0 } })
    .internal({ rise: internal([], () => {}) })
    .actions({ sit: action([], () => {}) });
  expect(() => rooms.hooks({ left: () => {} })).toThrow('Hub "seats": "left" is declared twice.');
});
