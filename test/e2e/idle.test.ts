// A large room at rest: its heartbeats are answered, and it is there when somebody speaks.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { startEngine } from "../support/engine.ts";
import { enter, eventually, PING, type Client } from "./client.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await startEngine()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const SOCKETS = 1_000;
/** A user may have 50 connections in one object. */
const USERS = 100;
/** Handshakes under way at once. */
const ABREAST = 20;

describe("a room of 1,000 sockets", () => {
  it("answers every heartbeat, and afterwards delivers one message to all", async () => {
    const clients: Client[] = [];
    const heard = new Set<number>();
    const enterNext = async (): Promise<void> => {
      for (let i = started++; i < SOCKETS; i = started++) {
        const onFrame = ({ method, params }: { method?: string; params?: string[] }): void => {
          if (method === "receiveMessage" && params?.[1] === "good morning") heard.add(i);
        };
        clients.push(await enter(endpoint, "chat/group:hall", { user: `u${i % USERS}`, onFrame }));
      }
    };
    let started = 0;
    await Promise.all(Array.from({ length: ABREAST }, enterNext));
    for (let beat = 1; beat <= 3; beat += 1) {
      for (const client of clients) client.send(PING);
      await eventually(async () => clients.every(({ pongs }) => pongs === beat), `beat ${beat}`);
    }
    expect(await clients[0]!.result("$/presence", { limit: 0 })).toMatchObject({
      users: USERS,
      connections: SOCKETS,
    });
    await clients[0]!.result("sendToRoom", ["hall", "good morning"]);
    await eventually(async () => heard.size === SOCKETS, "all heard it");
    expect(heard.size).toBe(SOCKETS);
    for (const client of clients) client[Symbol.dispose]();
  });
});
