// Which connections have come to their end without a word, with sockets that the test makes: slow, silent, closed.

import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../../src/model/options.ts";
import type { User } from "../../../src/model/user.ts";
import { objectWith } from "./sockets.ts";

describe("the connections of an object", () => {
  it("fall silent 75 s after the later of ping and message, if they ever pinged", () => {
    const { connections, liveness, dropped, accept } = objectWith();
    const pings = { never: undefined, early: 0, late: 100_000, talking: 0 };
    for (const [id, pingedAt] of Object.entries(pings)) {
      const { socket, connection } = accept(id);
      socket.pingedAt = pingedAt;
      if (id === "talking") connections.touch(connection, 100_000);
    }
    liveness.run(130_000);
    expect(dropped).toEqual([["early", 4410]]);
    liveness.run(130_001 + 120_000);
    expect(dropped.slice(1)).toEqual([
      ["late", 4410],
      ["talking", 4410],
    ]);
  });

  it("that never ping end when they have sent nothing for a day", () => {
    const { connections, liveness, dropped, accept } = objectWith();
    const day = DEFAULTS.limits.unheardSeconds * 1000;
    accept("listener");
    connections.touch(accept("talker").connection, 10_000_000);
    liveness.run(day);
    expect(dropped).toEqual([]);
    liveness.run(day + 120_000);
    expect(dropped).toEqual([["listener", 4410]]);
  });

  it("that poll end once a poll is 105 s old, which no worker leaves unanswered", () => {
    const { connections, liveness, dropped, accept } = objectWith();
    const polls = { transport: "LongPolling" } as const;
    const { connection: between } = accept("between polls", polls);
    connections.detach(between);
    connections.touch(accept("posting", polls).connection, 50_000);
    accept("polling", polls);
    liveness.look(105_000);
    expect(dropped).toEqual([]);
    liveness.run(121_000);
    expect(dropped).toEqual([["polling", 4410]]);
  });

  it("are looked at once a sweep, however often the alarm rings, and at once after a wake", () => {
    const { liveness, dropped, accept, sockets } = objectWith();
    accept("alice").socket.pingedAt = 100_000;
    liveness.run(120_000);
    liveness.run(200_000);
    expect([dropped, liveness.due()]).toEqual([[], 240_000]);
    const woken = objectWith(sockets);
    woken.liveness.run(200_000);
    expect(woken.dropped).toEqual([["alice", 4410]]);
  });

  it("are looked at before somebody sees them, but not twice within the time of a sweep", () => {
    const { liveness, dropped, accept } = objectWith();
    const { socket } = accept("alice");
    socket.pingedAt = 100_000;
    liveness.look(170_000);
    liveness.look(200_000);
    expect(dropped).toEqual([]);
    liveness.look(290_000);
    expect(dropped).toEqual([["alice", 4410]]);
  });

  it("are swept at their time, whoever has looked meanwhile: only sweeps find readers that are stuck", () => {
    const { connections, liveness, dropped, accept } = objectWith();
    const { socket, connection } = accept("stuck");
    connections.open(connection);
    socket.send = (frame) => void (socket.bufferedAmount += frame.length);
    connections.send(connection, ["12345"]);
    liveness.run(120_000);
    liveness.look(239_000);
    expect(liveness.due()).toBe(240_000);
    liveness.run(240_000);
    expect(dropped).toEqual([["stuck", 4408]]);
  });

  it("end when not one byte was taken between two sweeps, or the socket closed without a word", () => {
    const { connections, liveness, dropped, accept } = objectWith();
    const all = ["stuck", "slow", "busy", "idle", "closed"].map((id) => accept(id));
    for (const { connection } of all) connections.open(connection);
    const [stuck, slow, busy, , closed] = all.map(({ socket }) => socket);
    for (const { socket, connection } of all.slice(0, 3)) {
      socket.send = (frame) => void (socket.bufferedAmount += frame.length);
      connections.send(connection, ["12345"]);
    }
    busy!.bufferedAmount = 0;
    liveness.run(120_000);
    expect(dropped).toEqual([]);
    slow!.bufferedAmount -= 1;
    for (const { connection } of all.slice(0, 3)) connections.send(connection, ["12345"]);
    closed!.readyState = WebSocket.CLOSED;
    liveness.run(240_000);
    expect(dropped).toEqual([
      ["stuck", 4408],
      ["closed", 4408],
    ]);
    busy!.bufferedAmount = 0;
    for (const { connection } of all.slice(1, 3)) connections.send(connection, ["12345"]);
    liveness.run(360_000);
    expect(dropped.slice(2)).toEqual([["slow", 4408]]);
    expect(stuck!.closedWith).toBe(4408);
  });

  it("are closed when their token expires, whoever was looked at before", () => {
    const { liveness, dropped, accept } = objectWith();
    const user = { id: "alice", expiresAt: 130_000 } as User;
    accept("alice", { user });
    liveness.run(120_000);
    expect(liveness.due()).toBe(130_000);
    liveness.run(129_999);
    liveness.run(130_000);
    expect(dropped).toEqual([["alice", 4401]]);
    expect(liveness.due()).toBeUndefined();
  });
});
