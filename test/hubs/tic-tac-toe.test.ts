// GameHub through the real worker, with our client.

import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, it, onTestFinished, vi } from "vitest";
import { GameHub } from "../../src/hubs/tic-tac-toe.ts";
import { outcomeOf } from "../client/server.ts";
import { roomAt } from "../rooms/client.ts";
import { entered, until } from "../state/rooms.ts";

/** Two players at a board. */
async function seated(room: string) {
  const [x, o] = await Promise.all([
    entered(GameHub, { room }),
    entered(GameHub, { room, user: "bob" }),
  ]);
  expect([await x.room.run.sit(), await o.room.run.sit()]).toEqual(["X", "O"]);
  return [x.room, o.room] as const;
}

it("is won by three in a line, and both see it", async () => {
  const [x, o] = await seated("won");
  await x.run.move(0);
  await o.run.move(3);
  await x.run.move(1);
  await o.run.move(4);
  await x.run.move(2);
  await until(o, ({ winner }) => winner !== undefined);
  expect(o.state).toEqual(x.state);
  expect(x.state).toEqual({
    cells: ["X", "X", "X", "O", "O", null, null, null, null],
    players: { X: "alice", O: "bob" },
    turn: "O",
    winner: "X",
  });
  expect(await outcomeOf(o.run.move(5))).toEqual({ code: "over" });
  await o.run.again();
  expect(o.state).toEqual({ cells: Array(9).fill(null), players: {}, turn: "X" });
});

it("refuses a third player, a move out of turn, and a cell that is taken", async () => {
  const [x, o] = await seated("rules");
  const third = await entered(GameHub, { room: "rules", user: "carol" });
  expect(await outcomeOf(third.room.run.sit())).toEqual({ code: "full" });
  expect(await outcomeOf(o.run.move(0))).toEqual({ code: "not_your_turn" });
  await x.run.move(0);
  expect(await outcomeOf(x.run.move(1))).toEqual({ code: "not_your_turn" });
  expect(await outcomeOf(o.run.move(0))).toEqual({ code: "taken" });
  expect(await outcomeOf(o.run.move(9))).toEqual({ code: "invalid_arguments" });
  expect(await outcomeOf(o.run.again())).toEqual({ code: "playing" });
});

it("is lost by the player who does not move within ten seconds, and not earlier", async () => {
  const [x, o] = await seated("clock");
  await x.run.move(4);
  const { turnEndsAt } = x.state!;
  vi.useFakeTimers({ toFake: ["Date"], now: turnEndsAt! - 1 });
  onTestFinished(() => void vi.useRealTimers());
  await o.run.move(0);
  vi.setSystemTime(turnEndsAt!);
  await runDurableObjectAlarm(roomAt("games/group:clock"));
  expect(x.state?.winner).toBeUndefined();
  vi.setSystemTime(x.state!.turnEndsAt!);
  await runDurableObjectAlarm(roomAt("games/group:clock"));
  await until(o, ({ winner }) => winner === "O");
});
