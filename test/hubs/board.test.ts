// BoardHub through the real worker, with our client: fifty cursors, thirty updates a second.

import { expect, it } from "vitest";
import { BoardHub } from "../../src/hubs/board.ts";
import { entered, until } from "../state/rooms.ts";

it("keeps what two people draw at once, and what one of them wipes away", async () => {
  const alice = await entered(BoardHub, { room: "drawing" });
  const bob = await entered(BoardHub, { room: "drawing", user: "bob" });
  const dot = (x: number) => ({ x, y: 1, color: "red" });
  await Promise.all([
    alice.room.run.draw("a", dot(1)),
    bob.room.run.draw("b", dot(2)),
    alice.room.run.draw("c", dot(3)),
  ]);
  await bob.room.run.wipe("a");
  await until(alice.room, ({ shapes }) => !("a" in shapes));
  expect(alice.room.state?.shapes).toEqual({ b: dot(2), c: dot(3) });
});

it(
  "merges the moves of fifty cursors into at most thirty patches a second",
  { timeout: 30_000 },
  async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => entered(BoardHub, { room: "fifty", user: `user-${i}` })),
    );
    const [watched] = all;
    let patches = 0;
    watched!.onMessage(({ method }) => void ((method as string) === "$/state" && (patches += 1)));
    const startedAt = Date.now();
    const MOVES = 20;
    await Promise.all(
      all.map(async ({ room }) => {
        // oxlint-disable-next-line no-await-in-loop -- one move after another, as a hand makes them
        for (let x = 1; x <= MOVES; x += 1) await room.run.point({ x, y: 0 });
      }),
    );
    const seconds = (Date.now() - startedAt) / 1000;
    const cursors = Object.fromEntries(all.map((_, i) => [`user-${i}`, { x: MOVES, y: 0 }]));
    await until(watched!.room, (state) =>
      Object.values(state.cursors).every(({ x }) => x === MOVES),
    );
    expect(watched!.room.state?.cursors).toEqual(cursors);
    expect(patches).toBeLessThan(30 * seconds + 5);
    expect(patches).toBeLessThan(50 * MOVES);
  },
);

it("clears the cursors of users who have left", async () => {
  const alice = await entered(BoardHub, { room: "tidy" });
  const bob = await entered(BoardHub, { room: "tidy", user: "bob" });
  await bob.room.run.point({ x: 1, y: 1 });
  await alice.room.run.point({ x: 2, y: 2 });
  bob.close();
  await until(alice.room, ({ cursors }) => "bob" in cursors);
  await expect.poll(() => alice.presence.members.has("bob")).toBe(false);
  await alice.room.run.tidy();
  expect(alice.room.state?.cursors).toEqual({ alice: { x: 2, y: 2 } });
});
