// Chat in JavaScript: a room, and those who come and go.

import { HubConnectionBuilder, type IHubProtocol } from "@microsoft/signalr";
import type { Snippet } from "./snippet.ts";

export async function chat({ url, token, seen }: Snippet, protocol: IHubProtocol) {
  const connection = new HubConnectionBuilder()
    .withUrl(`${url}/hubs/chat`, { accessTokenFactory: () => token })
    .withHubProtocol(protocol)
    .build();

  connection.on("UserJoined", (user) => seen("joined", user));
  connection.on("UserLeft", (user) => seen("left", user));
  connection.on("ReceiveMessage", (user, message) => seen("message", user, message));

  await connection.start();
  await connection.invoke("JoinRoom", "general");
  await connection.invoke("SendToRoom", "general", "Hello!");
  return connection;
}
