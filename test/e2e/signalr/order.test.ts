// One room, heard over every dialect: whoever listens, and however, hears the same messages in the same order.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { connect } from "../../../src/client/index.ts";
import type { ChatHub } from "../../../src/hubs/chat.ts";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedEndpoint } from "../../support/shared-endpoint.ts";
import { enter, eventually, Party } from "../client.ts";
import { ROWS, visit } from "./connections.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const ROOM = "stage";

/** Somebody who says and hears. */
interface Member extends AsyncDisposable {
  readonly name: string;
  readonly heard: readonly (readonly unknown[])[];
  say(text: string): Promise<unknown>;
}

const stockClients = (): Promise<Member>[] =>
  ROWS.map(async (row, i): Promise<Member> => {
    const name = `stock${i}`;
    const hears = ["ReceiveMessage"];
    const one = await visit({ endpoint, row, hub: "chat" }, { user: name, hears });
    await one.invoke("JoinRoom", ROOM);
    return {
      name,
      get heard() {
        return one.heard.map(([, ...args]) => args);
      },
      say: (text) => one.invoke("SendToRoom", ROOM, text),
      [Symbol.asyncDispose]: () => one[Symbol.asyncDispose](),
    };
  });

async function ours(): Promise<Member> {
  const heard: unknown[][] = [];
  const chat = connect<typeof ChatHub>(`${endpoint.url}/hubs/chat`, {
    room: `group:${ROOM}`,
    token: () => endpoint.token("ours"),
    handlers: { receiveMessage: (...args) => void heard.push(args) },
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
  });
  await chat.ready;
  return {
    ...{ name: "ours", heard },
    say: (text) => chat.invoke.sendToRoom(ROOM, text),
    async [Symbol.asyncDispose]() {
      chat.close();
    },
  };
}

async function bare(): Promise<Member> {
  const client = await enter(endpoint, `chat/group:${ROOM}`, { user: "bare" });
  return {
    name: "bare",
    get heard() {
      return client.messages("receiveMessage").map(({ params }) => params);
    },
    say: (text) => client.result("sendToRoom", [ROOM, text]),
    [Symbol.asyncDispose]: async () => client[Symbol.dispose](),
  };
}

async function party(): Promise<Member> {
  const one = new Party(endpoint, "chat", `group:${ROOM}`, { user: "party" });
  await one.said("$/connected");
  return {
    name: "party",
    get heard() {
      return one.messages("receiveMessage").map(({ params }) => params);
    },
    say: (text) => one.result("sendToRoom", [ROOM, text]),
    [Symbol.asyncDispose]: async () => one[Symbol.dispose](),
  };
}

/** A multiple of those that one has under way at once, so that nobody speaks alone. */
const EACH = 30;
const ABREAST = 5;

async function sayAll({ say }: Member): Promise<void> {
  for (let n = 0; n < EACH; n += ABREAST)
    // oxlint-disable-next-line no-await-in-loop -- the next after these
    await Promise.all(numbers(ABREAST).map((i) => say(`${n + i}`)));
}

describe("a room of all dialects", () => {
  it("hears the same messages of all in the same order", async () => {
    await using all = new AsyncDisposableStack();
    const members = await Promise.all([...stockClients(), ours(), bare(), party()]);
    for (const member of members) all.use(member);
    await Promise.all(members.map(sayAll));
    const count = EACH * members.length;
    const isDone = async () => members.every(({ heard }) => heard.length >= count);
    await eventually(isDone, "all heard all");
    const [first, ...others] = members.map(({ heard }) => heard);
    expect(first).toHaveLength(count);
    for (const heard of others) expect(heard).toEqual(first);
    for (const { name } of members)
      expect(first!.filter(([user]) => user === name)).toEqual(
        numbers(EACH).map((n) => [name, `${n}`]),
      );
    // They spoke at once, not one after another.
    expect(new Set(first!.slice(0, EACH).map(([user]) => user)).size).toBeGreaterThan(1);
  });
});

describe("a member that speaks", () => {
  it("has heard its own message when its call is answered, 40 times of 40 on every transport", async () => {
    await using all = new AsyncDisposableStack();
    const members = await Promise.all([...stockClients(), ours(), bare(), party()]);
    for (const member of members) all.use(member);
    for (const { name, say, heard: before } of members) {
      const first = before.length;
      const missing: number[] = [];
      for (const n of numbers(40)) {
        // oxlint-disable-next-line no-await-in-loop -- one call after another
        await say(`own ${n}`);
        const { heard } = members.find((one) => one.name === name)!;
        const isHeard = heard
          .slice(first)
          .some(([user, text]) => user === name && text === `own ${n}`);
        if (!isHeard) missing.push(n);
      }
      expect([name, missing]).toEqual([name, []]);
    }
    // Ten kinds of members, 40 calls of each, one after another.
  });
});

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
