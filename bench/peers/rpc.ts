// JSON-RPC over HTTP, written by hand on Node.

import { createServer } from "node:http";
import { json } from "node:stream/consumers";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

const methods = new Map([["echo", ([message]: readonly unknown[]) => message]]);

const server = createServer(async (request, response) => {
  const { id, method, params } = (await json(request)) as Call;
  const body = JSON.stringify({ jsonrpc: "2.0", id, result: methods.get(method)?.(params) });
  response.setHeader("content-type", "application/json").end(body);
});

server.listen(Number(process.argv[2]), "127.0.0.1");
