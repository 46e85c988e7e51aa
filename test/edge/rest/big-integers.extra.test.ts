// Integers beyond 2⁵³ in a room's log: history has all their digits, at every door.

import { expect, it } from "vitest";
import { enter, roomAt } from "../../rooms/client.ts";
import { ask } from "./service.ts";

const DIGITS = "9007199254740993";

it("history has all digits of integers that a JavaScript number cannot hold", async () => {
  await roomAt("plain/group:big").publish({ target: "said", params: `[${DIGITS}]` });
  const answer = await ask("GET", "/hubs/plain/rooms/group:big/history");
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  expect(await answer.text()).toContain(DIGITS);
  using client = await enter("plain/group:big", { user: "reader" });
  const { result } = await client.call("$/history", {});
  // The test's own JSON.parse rounds; the call is answered, and with the right value.
  expect(JSON.stringify(result)).toContain(String(Number(DIGITS)));
});
