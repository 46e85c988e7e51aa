// The client in a process of Node, Deno or Bun, as e2e/platforms.test.ts starts it: `hub room token [ws]`, where `ws`
// is the URL of that package. Writes what it has seen as JSON, and ends by itself.

import { tryClient, type Task } from "../pages/try-client.ts";

const [hub = "", room = "", token = "", ws] = process.argv.slice(2);
const WebSocket = ws && (await import(ws)).WebSocket;
const task: Task = { hub, room, token, ...(WebSocket && { WebSocket }) };
console.log(JSON.stringify(await tryClient(task)));
