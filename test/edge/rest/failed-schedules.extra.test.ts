// A period that has failed, as services see it and as documents have it.

import { expect, it, vi } from "vitest";
import { act, newRoom, pass, steeredByClock } from "../../rooms/state/steered-room.ts";
import { ask } from "./service.ts";

steeredByClock();

const pathOf = (name: string) => {
  const [hub, room] = name.split("/") as [string, string];
  return `/hubs/${hub}/rooms/${encodeURIComponent(room)}`;
};
// oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
const read = async (path: string): Promise<any> => (await ask("GET", path)).json();

/** A room whose period of a minute has failed once, and when that was. */
async function failedRoom() {
  const name = newRoom("odd-view");
  const start = Date.now();
  await act(name, "every", 60);
  await act(name, "add", 12);
  vi.setSystemTime(start);
  await pass(name, 60, 60); // The view throws at 13.
  return { path: pathOf(name), failedAt: start + 60_000 };
}

it("is imported from a document at the time that was planned, where its run has failed", async () => {
  const { path, failedAt } = await failedRoom();
  const { schedule } = await read(`${path}/schedule`);
  const period = { id: "often", action: "tick", every: 60 };
  expect(schedule).toEqual([{ ...period, arguments: [1], at: failedAt + 1_000, failures: 1 }]);
  const body = await read(`${path}/:export`);
  expect(body.schedule).toEqual([{ ...period, args: [1], at: failedAt, failures: 0 }]);
  const other = pathOf(newRoom("odd-view"));
  expect((await ask("POST", `${other}/:import`, { body })).status).toBe(200);
  expect((await read(`${other}/schedule`)).schedule).toMatchObject([{ at: failedAt }]);
});

it("is imported from a document that has the planned time as a member", async () => {
  const { path, failedAt } = await failedRoom();
  const { schedule, ...rest } = await read(`${path}/:export`);
  const failed = { ...schedule[0], at: failedAt + 1_000, failures: 1, planned: failedAt };
  const other = pathOf(newRoom("odd-view"));
  const put = await ask("POST", `${other}/:import`, { body: { ...rest, schedule: [failed] } });
  expect(put.status).toBe(200);
  expect((await read(`${other}/:export`)).schedule).toEqual(schedule);
});
