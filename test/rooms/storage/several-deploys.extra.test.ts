// Rooms through several deploys that know more and less of them.

import { evictDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { FollowerRows } from "../../../src/rooms/room/follower-rows.ts";
import { roomAt } from "../client.ts";
import { connected, relayOf } from "../relay/client.ts";
import { deployTo } from "./deploys.ts";

it("a wake of the room `all` reads its followers' members once", async () => {
  const all = roomAt("relayed/all");
  using alice = await connected("relayed", { user: "read-once" });
  await deployTo(all, "relayed", { online: true });
  await evictDurableObject(relayOf("relayed", alice.id));
  await vi.waitFor(async () => expect(await all.presence({})).toMatchObject({ users: 1 }));
  await evictDurableObject(all);
  const read = vi.spyOn(FollowerRows.prototype, "members");
  expect(await all.presence({})).toMatchObject({ users: 1 });
  expect(read).toHaveBeenCalledTimes(1);
});
