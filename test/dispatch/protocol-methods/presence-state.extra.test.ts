// States that clients show in the presence of a hub that declares their schema.

import { expect, it } from "vitest";
import { enter } from "../../rooms/client.ts";

it("takes a state that the hub's schema takes, as the schema returns it, and null", async () => {
  using alice = await enter("ask/group:state-1", { user: "alice" });
  expect((await alice.call("$/track", { state: { typing: true, other: 1 } })).result).toBeNull();
  const { result } = await alice.call("$/presence");
  expect(result.members[0].state).toEqual({ typing: true });
  expect((await alice.call("$/untrack")).result).toBeNull();
});

it("takes times and bytes, which it shows as they came", async () => {
  using alice = await enter("ask/group:state-3", { user: "alice" });
  const state = { typing: true, since: "2026-01-02T03:04:05.000Z", sample: "AQID" };
  expect((await alice.call("$/track", { state })).result).toBeNull();
  expect((await alice.call("$/presence")).result.members[0].state).toEqual(state);
});

it("refuses another, and keeps the state before it", async () => {
  using alice = await enter("ask/group:state-2", { user: "alice" });
  await alice.call("$/track", { state: { typing: false } });
  const { error } = await alice.call("$/track", { state: { typing: "yes" } });
  expect(error).toMatchObject({ data: { code: "invalid_arguments" } });
  expect(error!.message).toContain("typing");
  expect((await alice.call("$/presence")).result.members[0].state).toEqual({ typing: false });
});
