// PresenceHub: the users online.

import { describe, expect, it } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { PresenceHub } from "../../src/hubs/presence.ts";

describe("presence.getOnlineUsers", () => {
  it("lists who is online, by id", async () => {
    const { invoke } = calling(PresenceHub, { online: ["bob", "alice"] });
    expect(await invoke.getOnlineUsers()).toEqual(["alice", "bob"]);
  });

  it("lists the first 100", async () => {
    const online = Array.from({ length: 101 }, (_, n) => `u${100 + n}`);
    const { invoke } = calling(PresenceHub, { online });
    expect(await invoke.getOnlineUsers()).toEqual(online.slice(0, 100));
  });

  it("refuses nobody", async () => {
    const { invoke } = calling(PresenceHub, { user: null });
    await expect(invoke.getOnlineUsers()).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("presence", () => {
  it("tells everybody who is online when that changes", async () => {
    const { hooks, sent } = calling(PresenceHub, { online: ["alice"] });
    await hooks.joined("bob", "all");
    await hooks.presenceChanged("all");
    expect(sent).toEqual([{ to: "all", method: "onlineUsersUpdated", args: [["alice", "bob"]] }]);
  });

  it("tells everybody who has gone", async () => {
    const { hooks, sent } = calling(PresenceHub, { online: ["alice", "bob"] });
    await hooks.left("bob", "all");
    await hooks.presenceChanged("all");
    expect(sent).toEqual([
      { to: "all", method: "userLeft", args: ["bob"] },
      { to: "all", method: "onlineUsersUpdated", args: [["alice"]] },
    ]);
  });

  it.each(["group:lobby", "order:42", "user:bob"])("says nothing of %s", async (room) => {
    const { hooks, sent } = calling(PresenceHub, { online: ["alice"] });
    await hooks.joined("bob", room);
    await hooks.left("bob", room);
    await hooks.presenceChanged(room);
    expect(sent).toEqual([]);
  });

  it("keeps who is online, and looks for the silent every 15 s", () => {
    const { online, liveness } = PresenceHub.settings;
    expect({ online, liveness }).toEqual({
      online: true,
      liveness: { silentSeconds: 30, sweepSeconds: 15 },
    });
  });
});
