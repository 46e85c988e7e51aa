// Microsoft's own management SDK for JavaScript against the real endpoint: that of Azure Web PubSub, whose REST
// interface is of one family with SignalR's. (SignalR's has no SDK on npm, and its .NET one is not in NuGet's copy
// here.)

import { WebPubSubServiceClient } from "@azure/web-pubsub";
import {
  HubConnectionBuilder,
  HubConnectionState,
  LogLevel,
  type HubConnection,
} from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { startTestEngine } from "../support/engine.ts";
import { eventually } from "./client.ts";

const KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

let endpoint: Endpoint;
let azure: WebPubSubServiceClient;
beforeAll(async () => {
  endpoint = await startTestEngine({ vars: { ACCESS_KEYS: KEY } });
  const connectionString = `Endpoint=${endpoint.url};AccessKey=${KEY};Version=1.0;`;
  azure = new WebPubSubServiceClient(connectionString, "Chat", { allowInsecureConnection: true });
});
afterAll(() => endpoint[Symbol.asyncDispose]());

interface Client {
  readonly connection: HubConnection;
  readonly id: string;
  readonly heard: string[];
}

async function client(user: string): Promise<Client> {
  const connection = new HubConnectionBuilder()
    .withUrl(`${endpoint.url}/hubs/chat`, { accessTokenFactory: () => endpoint.token(user) })
    .configureLogging(LogLevel.None)
    .build();
  const heard: string[] = [];
  connection.on("notice", (text: string) => heard.push(text));
  await connection.start();
  onTestFinished(() => connection.stop());
  return { connection, id: connection.connectionId!, heard };
}

const notice = (text: string) => ({ target: "notice", arguments: [text] });
const hears = ({ heard }: Client, ...texts: string[]) =>
  eventually(
    async () => heard.join() === texts.join(),
    `${texts.join()} is heard, not ${heard.join()}`,
  );
const isClosed = ({ connection }: Client) =>
  eventually(async () => connection.state === HubConnectionState.Disconnected, "it is closed");

/** SignalR's interface answers 200 where Web PubSub's answers 204, and its SDK takes nothing else. */
const unlike204 = (work: Promise<void>) =>
  expect(work).rejects.toMatchObject({ name: "RestError", statusCode: 200 });

describe("Azure's SDK", () => {
  it("says something to all, a group, a user and a connection", async () => {
    const [alice, bob] = [await client("alice"), await client("bob")];
    await azure.group("Group 1/ü").addConnection(alice.id);
    await azure.sendToAll(notice("all"));
    await azure.sendToAll(notice("all but bob"), { excludedConnections: [bob.id] });
    await azure.group("Group 1/ü").sendToAll(notice("group"));
    await azure.sendToUser("bob", notice("bob"));
    await azure.sendToConnection(alice.id, notice("alice"));
    await hears(bob, "all", "bob");
    await eventually(async () => alice.heard.length === 4, "all is heard");
    expect(alice.heard.toSorted()).toEqual(["alice", "all", "all but bob", "group"]);
  });

  it("finds connections, groups and users, and what is not there", async () => {
    const alice = await client("ada");
    await azure.group("here").addConnection(alice.id);
    expect(await azure.connectionExists(alice.id)).toBe(true);
    expect(await azure.groupExists("here")).toBe(true);
    expect(await azure.userExists("ada")).toBe(true);
    await unlike204(azure.group("here").removeConnection(alice.id));
    expect(await azure.groupExists("here")).toBe(false);
    expect(await azure.connectionExists("nobody")).toBe(false);
    expect(await azure.userExists("nobody")).toBe(false);
  });

  it("puts users into groups, lists who is there, and takes them out", async () => {
    const [one, two] = [await client("zoe"), await client("zoe")];
    const group = azure.group("family");
    await group.addUser("zoe");
    const ids: string[] = [];
    for await (const { connectionId } of await group.listConnections({ maxPageSize: 1 }))
      ids.push(connectionId);
    expect(ids.toSorted()).toEqual([one.id, two.id].toSorted());
    await group.sendToAll(notice("family"));
    await Promise.all([hears(one, "family"), hears(two, "family")]);
    await group.removeUser("zoe");
    expect(await azure.groupExists("family")).toBe(false);
    await azure.group("other").addUser("zoe");
    await azure.removeUserFromAllGroups("zoe");
    expect(await azure.groupExists("other")).toBe(false);
    await azure.group("own").addConnection(one.id);
    await unlike204(azure.removeConnectionFromAllGroups(one.id));
    expect(await azure.groupExists("own")).toBe(false);
  });

  it("closes a connection, a group, a user and all", async () => {
    const [one, two, three, four] = [
      await client("c1"),
      await client("c2"),
      await client("c3"),
      await client("c4"),
    ];
    await unlike204(azure.closeConnection(one.id, { reason: "one" }));
    await isClosed(one);
    await azure.group("closing").addConnection(two.id);
    await azure.group("closing").closeAllConnections({ reason: "two" });
    await isClosed(two);
    await azure.closeUserConnections("c3");
    await isClosed(three);
    expect(four.connection.state).toBe(HubConnectionState.Connected);
    await azure.closeAllConnections({ reason: "four" });
    await isClosed(four);
  });

  it("is refused with another key", async () => {
    const connectionString = `Endpoint=${endpoint.url};AccessKey=${KEY.toLowerCase()};Version=1.0;`;
    const wrong = new WebPubSubServiceClient(connectionString, "chat", {
      allowInsecureConnection: true,
    });
    await expect(wrong.sendToAll(notice("x"))).rejects.toMatchObject({ statusCode: 401 });
  });
});

describe("an application with a negotiate endpoint of its own", () => {
  it("sends SignalR's clients here, as whom it says", async () => {
    const { token: accessToken } = await generated("chat", "userId=guest");
    const { createServer } = await import("node:http");
    const url = `${endpoint.url}/client/?hub=chat`;
    const application = createServer((_request, response) =>
      response.end(JSON.stringify({ url, accessToken })),
    );
    await new Promise<void>((listening) => application.listen(0, "127.0.0.1", listening));
    onTestFinished(() => void application.close());
    const { port } = application.address() as { port: number };
    const connection = new HubConnectionBuilder()
      .withUrl(`http://127.0.0.1:${port}/app`)
      .configureLogging(LogLevel.None)
      .build();
    const heard: string[] = [];
    connection.on("notice", (text: string) => heard.push(text));
    await connection.start();
    onTestFinished(() => connection.stop());
    await azure.sendToUser("guest", notice("hello"));
    await eventually(async () => heard.length > 0, "hello is heard");
    expect(heard).toEqual(["hello"]);
  });

  async function generated(hub: string, query: string): Promise<{ token: string }> {
    const path = `/api/hubs/${hub}/:generateToken?${query}`;
    const authorization = `Bearer ${await endpoint.token("shop", { role: "service" })}`;
    const answer = await fetch(endpoint.url + path, { method: "POST", headers: { authorization } });
    return (await answer.json()) as { token: string };
  }
});
