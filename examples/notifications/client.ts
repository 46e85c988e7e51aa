// node client.ts <url> <token of alice> <token of a manager>: alice gets what is sent to her, and to her group.

import { connect } from "dormouse-hubs/client";
import type { Notification, NotificationHub } from "./hub.ts";

const [, , url = "http://127.0.0.1:8787", alice = "", manager = ""] = process.argv;
const received: string[] = [];
const both = Promise.withResolvers<void>();
const own = connect<NotificationHub>(`${url}/hubs/notifications`, {
  token: alice,
  handlers: {
    notified: ({ title }: Notification) => {
      if (received.push(title) === 2) both.resolve();
    },
  },
});
await own.invoke.subscribe("offers");
const staff = connect<NotificationHub>(`${url}/hubs/notifications`, { token: manager });
await staff.invoke.notifyUser("alice", { title: "For you", body: "…", level: "info" });
await staff.invoke.notifyGroup("offers", { title: "For all", body: "…", level: "alert" });
await both.promise;
own.close();
staff.close();
console.log(received.toSorted().join(", "));
