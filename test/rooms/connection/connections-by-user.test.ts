// The index of connections by user: a look-up by name reads no other connection.

import { expect, it } from "vitest";
import { ConnectionsByUser } from "../../../src/rooms/connection/connections-by-user.ts";

const of = (id: string, guestFrom?: string) => ({
  user: { id, ...(guestFrom !== undefined && { guestFrom }) },
});

it("finds a user's connections by id, and those of guests by their network and by their ids", () => {
  const index = new ConnectionsByUser<ReturnType<typeof of>>();
  const [one, two, bob] = [of("alice"), of("alice"), of("bob")];
  const [guest, other] = [of("guest-1", "192.0.2.1"), of("guest-2", "192.0.2.1")];
  for (const connection of [one, two, bob, guest, other]) index.add(connection);
  expect([...index.named("alice")]).toEqual([one, two]);
  expect([...index.named("guests@192.0.2.1")]).toEqual([guest, other]);
  expect([...index.named("guest-1")]).toEqual([guest]);
  expect([one, bob, other].map(({ user }) => index.countOf(user))).toEqual([2, 1, 2]);
  for (const connection of [one, one, guest]) index.remove(connection);
  expect([one, guest].map(({ user }) => index.countOf(user))).toEqual([1, 1]);
  expect([...index.named("nobody")]).toEqual([]);
});
