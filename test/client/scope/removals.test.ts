// Joins that meet a removal by the server, or messages of an earlier membership.

import { expect, it } from "vitest";
import { advance, outcomeOf } from "../server.ts";
import { answer, connected, JOINED, LOBBY, reconnect, sent, type Setting } from "../viewing.ts";

const LEFT = { method: "$/left", params: { room: LOBBY, reason: "forbidden" } };

/** The id of the newest `$/join`. */
const joinId = (setting: Setting) => sent(setting, "$/join").at(-1)!.id!;

it.each([
  { order: "after its answer", frames: (id: string) => [{ id, result: JOINED }, LEFT] },
  { order: "before its answer", frames: (id: string) => [LEFT, { id, result: JOINED }] },
])("a join that meets a removal $order is asked again, and the answer counts", async (one) => {
  const setting = await connected();
  const { hub, server } = setting;
  const left: string[] = [];
  hub.onLeft(({ room }) => left.push(room));
  const joining = outcomeOf(hub.join(LOBBY, "e:5"));
  await advance();
  server.socket.deliver(one.frames(joinId(setting)));
  await advance();
  expect(sent(setting, "$/join").map(({ params }) => (params as [object])[0])).toEqual([
    { room: LOBBY, since: "e:5" },
    { room: LOBBY },
  ]);
  await answer(server.socket, "$/join", { code: "forbidden" });
  expect([await joining, left]).toEqual([{ code: "forbidden" }, [LOBBY]]);
  await reconnect(setting);
  expect(sent(setting, "$/resume")).toEqual([]);
});

it("a join after a removal is asked once", async () => {
  const setting = await connected();
  const { hub, server } = setting;
  server.socket.deliver(LEFT);
  const joining = hub.join(LOBBY);
  await answer(server.socket, "$/join", JOINED);
  expect([await joining, sent(setting, "$/join").length]).toEqual([JOINED, 1]);
});

it("a join from a position has no message before it, even of a resume that is under way", async () => {
  const setting = await connected();
  const { hub, server } = setting;
  void outcomeOf(hub.join(LOBBY));
  await answer(server.socket, "$/join", JOINED);
  await reconnect(setting);
  void outcomeOf(hub.leave(LOBBY));
  const positions: (string | undefined)[] = [];
  hub.onMessage(({ position }) => positions.push(position));
  void outcomeOf(hub.join(LOBBY, "e:12"));
  for (const position of ["e:11", "e:12", "e:13"])
    server.socket.deliver({ method: "said", params: ["x"], room: LOBBY, position });
  expect(positions).toEqual(["e:13"]);
});

it("a join from a text that is no position rejects, and later joins and messages do not meet it", async () => {
  const setting = await connected();
  const { hub, server } = setting;
  const positions: (string | undefined)[] = [];
  hub.onMessage(({ position }) => positions.push(position));
  expect(await outcomeOf(hub.join(LOBBY, "null"))).toEqual({ code: "invalid_position" });
  expect(hub.positionOf(LOBBY)).toBe(undefined);
  const joining = hub.join(LOBBY);
  await answer(server.socket, "$/join", JOINED);
  expect(await joining).toEqual(JOINED);
  server.socket.deliver({ method: "said", params: ["x"], room: LOBBY, position: "e:11" });
  expect(positions).toEqual(["e:11"]);
});
