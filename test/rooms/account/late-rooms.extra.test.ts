// A room that is slow to begin: a user who is banned, or whose token is revoked, meanwhile gets nothing of it.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ask } from "../../edge/rest/service.ts";
import { release, steering, untilReleased } from "../../support/steered-hub.ts";
import { token, upgrade } from "../client.ts";
import { newRoom } from "../state/steered-room.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  release();
  vi.restoreAllMocks();
});

it.each([
  ["banned", ":ban", { seconds: 60 }],
  ["token_revoked", ":revoke", {}],
  ["token_revoked", ":revoke", { jti: "late" }],
])("%s while the room's state is loaded: %s %j", async (code, operation, body) => {
  let loads = 0;
  steering.isHeld = true;
  steering.load = async () => {
    loads += 1;
    await untilReleased();
    return { count: 40, label: "secret" };
  };
  const user = `late-${crypto.randomUUID()}`;
  const access = await token(user, { jti: "late", iat: Math.floor(Date.now() / 1000) });
  const entering = upgrade(`/parties/${newRoom()}?access_token=${access}`);
  await expect.poll(() => loads).toBe(1);
  const done = await ask("POST", `/hubs/steered/users/${user}/${operation}`, { body });
  expect(done.ok).toBe(true);
  steering.isHeld = false;
  const answer = await entering;
  answer.webSocket?.accept();
  expect([answer.status, answer.headers.get("x-dormouse-error")]).toEqual([
    code === "banned" ? 403 : 401,
    code,
  ]);
});
