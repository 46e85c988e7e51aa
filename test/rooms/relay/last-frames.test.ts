// What the last frames of ended polling connections may hold, and for how long.

import { expect, it } from "vitest";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import { HeldBytes } from "../../../src/rooms/connection/held-bytes.ts";
import { LastFrames } from "../../../src/rooms/relay/last-frames.ts";

const MIB = 1024 * 1024;
const NOW = 1_000;
const LIMITS = { heldByConnection: 12 * MIB, heldByUser: 4 * MIB, heldByObject: 48 * MIB };
const CLOSE = "close";

function relay() {
  const held = new HeldBytes(LIMITS);
  const armed: number[] = [];
  const last = new LastFrames(held, { arm: (at) => void armed.push(at) });
  /** A connection ends whose client has read nothing of a frame of so many MiB. */
  const end = (id: string, user: string, mib: number) => {
    const unconfirmed = ["x".repeat(mib * MIB - CLOSE.length), CLOSE];
    const attached = { transport: "LongPolling" };
    const connection = { id, attached, user: { id: user }, resumable: { unconfirmed } };
    last.keep(connection as unknown as Connection, NOW);
  };
  const size = async (id: string) => (await last.answer(id, NOW).text()).length;
  return { ...{ held, last, armed, end, size }, fits: held.of({ id: "alice" }) };
}

it("keeps what fits into the user's budget, and of further connections the closing frame", async () => {
  const { end, fits, held, size } = relay();
  for (const id of ["one", "two", "three"]) end(id, "alice", 2);
  expect([held.held, fits.fits(1)]).toEqual([4 * MIB, false]);
  expect(await Promise.all(["one", "two", "three"].map(size))).toEqual([2 * MIB, 2 * MIB, 5]);
  expect([held.held, fits.fits(4 * MIB)]).toEqual([0, true]);
});

it("keeps 8 MiB of all users, and of the oldest connections the closing frame", async () => {
  const { end, held, size } = relay();
  for (const user of ["alice", "bob", "carol"]) end(user, user, 3);
  expect(held.held).toBe(6 * MIB);
  expect(await Promise.all(["alice", "bob", "carol"].map(size))).toEqual([5, 3 * MIB, 3 * MIB]);
});

it("forgets them 15 s later, by an alarm of its own", () => {
  const { armed, end, fits, held, last } = relay();
  end("one", "alice", 2);
  expect([armed, last.due()]).toEqual([[NOW + 15_000], NOW + 15_000]);
  last.run(NOW + 14_999);
  expect([last.has("one"), held.held]).toEqual([true, 2 * MIB]);
  last.run(NOW + 15_000);
  expect([last.has("one"), held.held, fits.fits(4 * MIB)]).toEqual([false, 0, true]);
  expect(last.due()).toBeUndefined();
});

it("gives them once, and then knows the connection for 15 s more", async () => {
  const { end, last, size } = relay();
  end("one", "alice", 1);
  expect(await size("one")).toBe(MIB);
  expect([last.has("one"), last.due()]).toEqual([true, NOW + 15_000]);
  expect(last.answer("one", NOW).status).toBe(204);
  expect(last.has("one")).toBe(false);
});
