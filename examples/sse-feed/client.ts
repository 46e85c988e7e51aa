// node client.ts <url> <token of alice> <token of a manager>: the first event of the feed.

import { connect } from "dormouse-hubs/client";
import type { FeedHub } from "./hub.ts";

const [, , url = "http://127.0.0.1:8787", alice = "", manager = ""] = process.argv;
const ending = new AbortController();
const response = await fetch(`${url}/events/orders`, {
  headers: { accept: "text/event-stream", authorization: `Bearer ${alice}` },
  signal: ending.signal,
});
if (!response.ok) throw new Error(await response.text());
const staff = connect<FeedHub>(`${url}/hubs/sse-feed`, { token: manager });
await staff.invoke.update("42", "shipped");
staff.close();
const UPDATE = /event: (order-update)\n(?:id: .*\n)?data: (.*)\n/;
let text = "";
for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
  text += chunk;
  if (UPDATE.test(text)) break;
}
ending.abort();
const [, event, data] = UPDATE.exec(text) ?? [];
console.log(event, data);
