// node client.ts <url> <token of alice> <token of bob>: alice sees bob come, type, and say something.

import { connect } from "dormouse-hubs/client";
import type { ChatHub } from "./hub.ts";

const [, , url = "http://127.0.0.1:8787", alice = "", bob = ""] = process.argv;
const seen: string[] = [];
const said = Promise.withResolvers<void>();
const own = connect<ChatHub>(`${url}/hubs/presence-chat`, {
  room: "group:lobby",
  token: alice,
  handlers: { said: (user, text) => (seen.push(`${user}: ${text}`), said.resolve()) },
});
const typing = Promise.withResolvers<void>();
own.onPresence(({ members }) => {
  const other = members.get("bob");
  if (other && !seen.includes("bob is here")) seen.push("bob is here");
  if (other?.state?.typing && !seen.includes("bob is typing")) {
    seen.push("bob is typing");
    typing.resolve();
  }
});
await own.ready;
const other = connect<ChatHub>(`${url}/hubs/presence-chat`, { room: "group:lobby", token: bob });
await other.ready;
await other.track({ typing: true });
await typing.promise;
await other.invoke.say("hello");
await said.promise;
own.close();
other.close();
console.log(seen.join(", "));
