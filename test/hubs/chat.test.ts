// ChatHub: messages in a room, joins and leaves.

import { describe, expect, it } from "vitest";
import { mayEnter } from "../../src/dispatch/define/policies.ts";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { ChatHub } from "../../src/hubs/chat.ts";
import { NAMED_UP_TO } from "../../src/hubs/announce-members.ts";
import { parseTopic } from "../../src/model/topic.ts";
import { runtime, userOf } from "../support/test-user.ts";

describe("chat.sendToRoom", () => {
  it("tells everybody in the room who said what", async () => {
    const { invoke, sent } = calling(ChatHub);
    await invoke.sendToRoom("lobby", "hello");
    expect(sent).toEqual([
      { to: "group:lobby", method: "receiveMessage", args: ["alice", "hello"] },
    ]);
  });

  it("takes 4,000 characters and refuses one more", async () => {
    const { invoke, sent } = calling(ChatHub);
    await invoke.sendToRoom("lobby", "x".repeat(4_000));
    await expect(invoke.sendToRoom("lobby", "x".repeat(4_001))).rejects.toMatchObject({
      code: "invalid_arguments",
    });
    expect(sent).toHaveLength(1);
  });

  it("refuses what is no text", async () => {
    const { invoke } = calling(ChatHub);
    await expect(invoke.sendToRoom("lobby", 1 as unknown as string)).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });
});

it("chat.broadcastExceptSelf tells everybody but the caller", async () => {
  const { invoke, sent } = calling(ChatHub);
  await invoke.broadcastExceptSelf("hello");
  expect(sent).toEqual([
    { to: "all", method: "receiveMessage", args: ["alice", "hello"], except: ["caller"] },
  ]);
});

describe("chat rooms", () => {
  it("are joined and left", async () => {
    const { invoke, joined } = calling(ChatHub);
    await invoke.joinRoom("a");
    await invoke.joinRoom("b");
    await invoke.leaveRoom("a");
    expect(joined).toEqual(["group:b"]);
  });

  it("say themselves who comes and goes, so that a lost connection is said too", async () => {
    const { hooks, invoke, sent } = calling(ChatHub);
    for (const device of ["phone", "laptop"]) {
      await invoke.joinRoom("lobby");
      expect([device, sent.slice(-1)]).toEqual([
        device,
        [{ to: "group:lobby", method: "userJoined", args: ["alice", "lobby"] }],
      ]);
    }
    expect(sent).toHaveLength(2);
    await hooks.left("alice", "group:lobby");
    expect(sent.slice(2)).toEqual([
      { to: "group:lobby", method: "userLeft", args: ["alice", "lobby"] },
    ]);
  });

  it("announce a socket that was opened to the room itself", async () => {
    const { hooks, sent } = calling(ChatHub, { room: "group:lobby" });
    await hooks.connected();
    expect(sent).toEqual([{ to: "group:lobby", method: "userJoined", args: ["alice", "lobby"] }]);
  });

  it("name nobody in a crowd: its counts are told by presence", async () => {
    const { hooks, invoke, sent } = calling(ChatHub);
    for (let n = 1; n < NAMED_UP_TO; n++) await hooks.joined(`user ${n}`, "group:stadium");
    await invoke.joinRoom("stadium");
    expect(sent).toHaveLength(1);
    await hooks.joined("one more", "group:stadium");
    await invoke.joinRoom("stadium");
    expect(sent).toHaveLength(1);
    await hooks.joined("and another", "group:stadium");
    await hooks.left("user 1", "group:stadium");
    expect(sent).toHaveLength(1);
  });

  it.each(["all", "user:bob"])("say nothing of %s", async (room) => {
    const { hooks, sent } = calling(ChatHub);
    await hooks.joined("bob", room);
    await hooks.left("bob", room);
    expect(sent).toEqual([]);
  });

  it("are open to whoever is signed in, and a user's room is not", async () => {
    const may = (topic: string) => {
      const room = parseTopic(topic);
      const rules = room.kind === "all" ? undefined : ChatHub.settings.rooms?.[room.kind];
      return mayEnter({ hub: "chat", user: userOf(), room, args: [], ...runtime }, rules);
    };
    expect(await Promise.all(["group:x", "order:1", "user:bob"].map(may))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

it("chat is closed to nobody", async () => {
  const { invoke } = calling(ChatHub, { user: null });
  await expect(invoke.joinRoom("lobby")).rejects.toMatchObject({ code: "forbidden" });
});
