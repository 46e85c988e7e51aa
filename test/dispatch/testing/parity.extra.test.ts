// A world behaves as the engine does: every scenario runs on both stages, and gives the same transcripts. Here messages
// and presence; calls and connections are in parity-calls.extra.test.ts.

import { describe, expect, it } from "vitest";
import { presenceOf, saidTo, STAGES, type Stage } from "./stages.ts";

const ROOM = "group:lobby";

describe.each(STAGES)("in %s, messages", (_, stageOf) => {
  it("reach their caller before the call is answered, in their order", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", room: ROOM });
    await alice.saw(`+alice@${ROOM}`);
    await alice.call("sayTwice", "lobby", "hi");
    expect(alice.transcript.slice(-4)).toEqual([
      `said(hi 1)@${ROOM}`,
      "said(hi 2)",
      `said(hi 3)@${ROOM}`,
      "=done",
    ]);
  });

  it("reach a caller that has joined before the call is answered", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice" });
    await alice.call("join", "lobby");
    await alice.call("say", "lobby", "hi");
    expect(alice.transcript.slice(-2)).toEqual([`said(hi)@${ROOM}`, "=done"]);
  });

  it("reach the members of a group, from their join to their leave", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice" });
    const bob = await stage.connect({ user: "bob" });
    await alice.call("say", "lobby", "before");
    await bob.call("join", "lobby");
    await alice.call("say", "lobby", "while");
    await bob.saw(`said(while)@${ROOM}`);
    await bob.call("leave", "lobby");
    await alice.call("say", "lobby", "after");
    await alice.call("sayUser", "bob", "end");
    await bob.saw("said(end)@user:bob");
    expect(saidTo(bob)).toEqual(["said(while)", "said(end)"]);
    expect(saidTo(alice)).toEqual([]);
  });

  it("leave out the caller of `othersIn` and the connections of `except`", async () => {
    const stage = stageOf();
    const [alice, bob, carol] = await Promise.all(
      ["alice", "bob", "carol"].map((user) => stage.connect({ user, room: ROOM })),
    );
    await alice!.call("sayOthers", "lobby", "others");
    await alice!.call("sayExcept", bob!.id, "lobby", "not bob");
    await alice!.call("say", "lobby", "all");
    for (const one of [alice, bob, carol]) await one!.saw(`said(all)@${ROOM}`);
    expect(saidTo(alice!)).toEqual(["said(not bob)", "said(all)"]);
    expect(saidTo(bob!)).toEqual(["said(others)", "said(all)"]);
    expect(saidTo(carol!)).toEqual(["said(others)", "said(not bob)", "said(all)"]);
  });

  it("to a user reach all devices of the whole hub, and none that is attached to a room", async () => {
    const stage = stageOf();
    const phone = await stage.connect({ user: "bob" });
    const laptop = await stage.connect({ user: "bob" });
    const attached = await stage.connect({ user: "bob", room: ROOM });
    const alice = await stage.connect({ user: "alice" });
    await alice.call("sayUser", "bob", "hi");
    for (const device of [phone, laptop]) await device.saw("said(hi)@user:bob");
    await alice.call("say", "lobby", "end");
    await attached.saw(`said(end)@${ROOM}`);
    expect(saidTo(attached)).toEqual(["said(end)"]);
    expect(saidTo(alice)).toEqual([]);
  });

  it("to all reach every connection, and to others all but the caller", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice" });
    const bob = await stage.connect({ user: "bob", room: ROOM });
    await alice.call("sayAllOthers", "others");
    await alice.call("sayAll", "all");
    for (const one of [alice, bob]) await one.saw("said(all)@all");
    expect(saidTo(alice)).toEqual(["said(all)"]);
    expect(saidTo(bob)).toEqual(["said(others)", "said(all)"]);
  });

  it("to one connection reach it alone, and to one that is gone nobody", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice" });
    const bob = await stage.connect({ user: "bob" });
    await alice.call("tell", bob.id, "psst");
    await bob.saw("said(psst)");
    await bob.close();
    await expect.poll(() => alice.call("askOther", bob.id, "?")).toBe("error:connection_not_found");
    expect(await alice.call("tell", bob.id, "psst")).toBeNull();
    expect(saidTo(alice)).toEqual([]);
  });

  it("to a group that stands for an order reach the order", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", room: "order:42" });
    await alice.call("sayOrder", "42", "one");
    await alice.call("say", "order-42", "two");
    expect(saidTo(alice)).toEqual(["said(one)", "said(two)"]);
  });

  it("of work in the background come after the answer or before it, and once", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", room: ROOM });
    expect(await alice.call("later", "lobby", "soon")).toBeNull();
    await alice.saw(`said(soon)@${ROOM}`);
    expect(saidTo(alice)).toEqual(["said(soon)"]);
  });

  it("that are repeated under one key are published once", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", room: ROOM });
    for (const key of ["k", "k", "l"]) await alice.callWithKey(key, "say", "lobby", "hi");
    expect(saidTo(alice)).toEqual(["said(hi)", "said(hi)"]);
  });

  it("that another connection was added to a group for reach it", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice" });
    const bob = await stage.connect({ user: "bob" });
    await alice.call("add", "lobby", bob.id);
    await alice.call("say", "lobby", "hi");
    await bob.saw(`said(hi)@${ROOM}`);
    expect(saidTo(alice)).toEqual([]);
  });
});

describe.each(STAGES)("in %s, presence", (_, stageOf) => {
  const watcher = async (stage: Stage) => {
    const watching = await stage.connect({ user: "watcher" });
    await watching.call("join", "watch");
    return watching;
  };

  it("has one join and one leave for a user with two devices, in the room and in hooks", async () => {
    const stage = stageOf();
    const watching = await watcher(stage);
    const alice = await stage.connect({ user: "alice", room: ROOM });
    const phone = await stage.connect({ user: "bob", room: ROOM });
    const laptop = await stage.connect({ user: "bob" });
    await laptop.call("join", "lobby");
    await alice.saw(`+bob@${ROOM}`);
    expect(await alice.call("present", "lobby")).toEqual([
      ["alice", 1, null],
      ["bob", 2, null],
    ]);
    await phone.close();
    await watching.saw("said(gone bob )@group:watch");
    await laptop.call("leave", "lobby");
    await alice.saw(`-bob@${ROOM}`);
    await watching.saw("said(left bob)@group:watch");
    expect(presenceOf(alice)).toEqual([`+alice@${ROOM}`, `+bob@${ROOM}`, `-bob@${ROOM}`]);
    expect(saidTo(watching)).toEqual([
      "said(joined alice)",
      "said(joined bob)",
      "said(gone bob )",
      "said(left bob)",
    ]);
  });

  it("tells a close on purpose at once, and another after the grace", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", room: ROOM });
    const bob = await stage.connect({ user: "bob", room: ROOM });
    const carol = await stage.connect({ user: "carol", room: ROOM });
    await alice.saw(`+carol@${ROOM}`);
    await carol.close(1001);
    await bob.close();
    await alice.saw(`-bob@${ROOM}`);
    await stage.pass();
    await alice.saw(`-carol@${ROOM}`);
    expect(presenceOf(alice).slice(-2)).toEqual([`-bob@${ROOM}`, `-carol@${ROOM}`]);
    expect(await alice.call("present", "lobby")).toEqual([["alice", 1, null]]);
  });

  it("shows the states that users track, to members and readers", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", room: ROOM });
    const bob = await stage.connect({ user: "bob", room: ROOM });
    await bob.call("track", "lobby", { typing: true });
    await alice.saw(`~bob={"typing":true}@${ROOM}`);
    expect(await alice.call("present", "lobby")).toEqual([
      ["alice", 1, null],
      ["bob", 1, { typing: true }],
    ]);
    expect(await alice.call("track", "elsewhere", 1)).toBe("error:forbidden");
    expect(await bob.call("track", "lobby", "x".repeat(2_000))).toBe("error:too_large");
  });
});
