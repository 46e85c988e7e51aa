// JSON-RPC in JavaScript: any client of the protocol, over a WebSocket or HTTP.

import { JSONRPCClient } from "json-rpc-2.0";
import { WebSocket } from "ws";
import type { Snippet } from "./snippet.ts";

export function overWebSocket({ url, token }: Snippet) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/jsonrpc?access_token=${token}`);
  const open = new Promise((resolve) => socket.once("open", resolve));
  const client = new JSONRPCClient(async (request) => {
    await open;
    socket.send(JSON.stringify(request));
  });
  socket.on("message", (data) => client.receive(JSON.parse(data.toString())));
  return { client, socket };
}

export function overHttp({ url, token }: Snippet) {
  const client: JSONRPCClient = new JSONRPCClient(async (request) => {
    const response = await fetch(`${url}/jsonrpc`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(request),
    });
    if (response.status === 200) client.receive(JSON.parse(await response.text()));
  });
  return client;
}
