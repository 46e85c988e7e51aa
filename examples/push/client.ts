// ACCESS_KEY=… node client.ts <url> <token of alice>: a service publishes, alice reads.

import { backend } from "dormouse-hubs/backend";
import { events } from "dormouse-hubs/client";
import type { NewsHub } from "./hub.ts";

const [, , url = "http://127.0.0.1:8787", token = ""] = process.argv;
const { clients } = backend<NewsHub>({
  url: `${url}/hubs/push`,
  accessKey: process.env["ACCESS_KEY"]!,
});
for await (const event of events<NewsHub>(`${url}/hubs/push`, { room: "group:news", token })) {
  // The stream stands: one service, and one key for what it may have to send again.
  if (event.type === "connected") await clients.group("news").published("Dormouse wakes");
  if (event.method === "published") {
    console.log(...event.params);
    break;
  }
}
