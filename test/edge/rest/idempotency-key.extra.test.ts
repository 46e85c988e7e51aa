// The header `Idempotency-Key`: as the member of a body, for every operation that publishes to rooms.

import { describe, expect, it } from "vitest";
import { ask, refusal } from "./service.ts";

const LONG = "k".repeat(256);

const publish = (room: string, key: string, more: object = {}) =>
  ask("POST", `/hubs/relayed/rooms/group:${room}/:publish`, {
    body: { target: "said", ...more },
    headers: { "idempotency-key": key },
  });
const offsetOf = async (answer: Promise<Response>) =>
  ((await (await answer).json()) as { offset: number }).offset;

describe("a publication with the header", () => {
  it.each(["k-1", '"k-1"', LONG, '"a \\"quoted\\" key"'])("%s is published once", async (key) => {
    const room = `keyed-${key.length}`;
    expect(await offsetOf(publish(room, key))).toBe(1);
    expect(await offsetOf(publish(room, key))).toBe(1);
    expect(await offsetOf(publish(room, `${key.slice(0, 3)}x`))).toBe(2);
  });

  it("has the key of the body's member", async () => {
    const member = { idempotency_key: "one" };
    expect(await offsetOf(publish("both", '"one"'))).toBe(1);
    expect(await offsetOf(publish("both", "one", member))).toBe(1);
    const body = { target: "said", ...member };
    expect(await offsetOf(ask("POST", "/hubs/relayed/rooms/group:both/:publish", { body }))).toBe(
      1,
    );
  });

  it.each([
    ["", {}],
    [`${LONG}k`, {}],
    ["one", { idempotency_key: "another" }],
  ])("%j is refused with the body %j", async (key, more) => {
    expect(await refusal(await publish("refused", key, more))).toEqual([400, "invalid_arguments"]);
  });
});

it.each([
  ["/hubs/relayed/groups/azure/:send", "group:azure"],
  ["/hubs/relayed/users/azure/:send", "user:azure"],
  ["/api/v1/hubs/relayed/groups/azure-v1", "group:azure-v1"],
  ["/hubs/relayed/:send", "all"],
])("Azure's %s publishes once", async (path, room) => {
  const offset = () => offsetOf(ask("GET", `/hubs/relayed/rooms/${room}`));
  const send = (key: string) =>
    ask("POST", path.replace("/api", ""), {
      body: { target: "said" },
      headers: { "idempotency-key": key },
    });
  const before = await offset();
  expect([(await send("one")).status, (await send("one")).status]).toEqual([202, 202]);
  expect(await offset()).toBe(before + 1);
  expect((await send("two")).status).toBe(202);
  expect(await offset()).toBe(before + 2);
  expect(await refusal(await send(""))).toEqual([400, "invalid_arguments"]);
});

it("several rooms are published to once each", async () => {
  const send = async () => {
    const answer = await ask("POST", "/hubs/relayed/:broadcast", {
      body: { rooms: ["group:b1", "group:b2"], target: "said" },
      headers: { "idempotency-key": "k" },
    });
    return answer.json();
  };
  const first = await send();
  expect(first).toMatchObject({
    responses: [{ result: { offset: 1 } }, { result: { offset: 1 } }],
  });
  expect(await send()).toEqual(first);
});

it("a batch that is repeated publishes nothing twice, and two commands of one room are two", async () => {
  const command = { publish: { room: "group:twice", target: "said" } };
  const own = { publish: { room: "group:twice", target: "said", idempotency_key: "own" } };
  const send = async () => {
    const answer = await ask("POST", "/hubs/relayed/:batch", {
      body: { commands: [command, command, own] },
      headers: { "idempotency-key": "k" },
    });
    return answer.json();
  };
  const first = await send();
  expect(first).toMatchObject({ replies: [1, 2, 3].map((offset) => ({ publish: { offset } })) });
  expect(await send()).toEqual(first);
});
