// The connect webhook for the Connect and gRPC-Web service: the same requests, and answers as its error codes.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  as,
  clientBy,
  drained,
  failure,
  listen,
  SERVICE,
  type ProtocolName,
} from "../edge/grpc/client.ts";
import { raw } from "../edge/grpc/raw.ts";
import { begun } from "../edge/grpc/talker.ts";
import { list, publication, uploaded } from "../edge/grpc/values.ts";
import { roomAt } from "../rooms/client.ts";
import { heldTimers } from "../support/held-timers.ts";
import { answering, granting, receiver, STAFF, withConnectWebhook } from "./connect-fixture.ts";

withConnectWebhook();

const asked = () =>
  receiver.requests
    .flatMap(({ events }) => events)
    .map(({ source, subject, data }) => {
      return { source, subject, room: data.room, rooms: data.rooms };
    });

async function* messages(count: number) {
  for (let n = 0; n < count; n++) yield uploaded("group:webhook", `${n}`, "chat");
}

const CALLS: readonly (readonly [string, (protocol: ProtocolName) => Promise<unknown>])[] = [
  [
    "Publish",
    async (protocol) =>
      clientBy(protocol).publish(publication("group:a", "x", "chat"), await as("s", SERVICE)),
  ],
  [
    "Invoke",
    async (protocol) =>
      clientBy(protocol).invoke({ hub: "chat", method: "rpc.discover" }, await as("alice")),
  ],
  [
    "Subscribe",
    async (protocol) => {
      const request = { hub: "chat", topics: [{ topic: "group:untouched-grpc" }] };
      return drained(clientBy(protocol).subscribe(request, await as("alice")));
    },
  ],
  ["Upload", async (protocol) => clientBy(protocol).upload(messages(2), await as("s", SERVICE))],
];

describe.each(["connect", "grpc-web"] as const)("over %s", (protocol) => {
  it.each(CALLS)("%s is refused where the answer is no", async (_, call) => {
    receiver.answer = answering(403);
    expect(await failure(call(protocol))).toEqual(["PermissionDenied", "refused_by_webhook"]);
  });

  it.each(CALLS)("%s is refused for now where there is no answer", async (_, call) => {
    receiver.answer = answering(500);
    expect(await failure(call(protocol))).toEqual(["Unavailable", "webhook_unavailable"]);
  });
});

it("refuses a Session where the answer is no", async () => {
  receiver.answer = answering(403);
  expect(await failure(begun("chat"))).toEqual(["PermissionDenied", "refused_by_webhook"]);
});

it("touches no object where the answer to a Subscribe is no", async () => {
  receiver.answer = answering(403);
  await failure(CALLS[2]![1]("connect"));
  await expect(evictDurableObject(roomAt("chat/group:untouched-grpc"))).rejects.toThrow(
    /not .*running/i,
  );
});

it("is told all rooms of a stream, and its hub by the name that the hub has", async () => {
  const topics = [{ topic: "group:one" }, { topic: "group:two" }];
  await using stream = await listen({ hub: "CHAT", topics });
  await stream.told();
  expect(asked()).toEqual([
    {
      ...{ source: "/hubs/chat", subject: "group:one" },
      ...{ room: "group:one", rooms: ["group:one", "group:two"] },
    },
  ]);
});

it("is asked about the hub, once for a call and once for an upload", async () => {
  await clientBy().invoke({ hub: "CHAT", method: "rpc.discover" }, await as("alice"));
  await clientBy().upload(messages(120), await as("s", SERVICE));
  const hub = { source: "/hubs/chat", subject: "chat", room: undefined, rooms: undefined };
  expect(asked()).toEqual([hub, hub]);
});

it("may grant what the token does not say, to a call and to a session", async () => {
  receiver.answer = granting(STAFF);
  const request = { hub: "admin", method: "broadcastAlert", arguments: list(["fire"]) };
  await clientBy().invoke(request, await as("alice"));
  using talk = await begun("admin");
  const { hub: _, ...said } = request;
  const answer = await talk.answer(talk.say({ case: "invoke", value: said }));
  expect(answer.case).toBe("invoked");
  expect(receiver.requests).toHaveLength(2);
});

it("keeps nobody waiting beyond the deadline of the call", async () => {
  receiver.answer = (_, signal) =>
    new Promise((__, reject) => signal.addEventListener("abort", () => reject(new Error("late"))));
  const webhook = heldTimers(5_000);
  const body = '{"hub":"chat","topic":"group:a","target":"said"}';
  const { status } = await raw(body, { headers: { "connect-timeout-ms": "50" } });
  expect([status, webhook.count]).toEqual([504, 1]);
  webhook.expire();
});
