// The notification panel: sends to one user, on all connections of that user, and lists the notifications received.

import type { Connection } from "../src/client/index.ts";
import type { NotificationHub } from "../src/hubs/notifications.ts";
import { byId, element, onSubmit, timeOf } from "./dom.ts";
import { toast } from "./toasts.ts";

const MAX_ITEMS = 3;

export function notifyPanel(notifications: Connection<NotificationHub>, userId: string): void {
  const to = byId("to", HTMLInputElement);
  const body = byId("body", HTMLInputElement);
  to.value = userId;
  onSubmit(byId("notify-form", HTMLFormElement), byId("notify-error"), async () => {
    const message = { title: `From ${userId}`, body: body.value.trim() };
    await notifications.invoke.sendToUser(to.value.trim(), message);
    body.value = "";
  });
  const inbox = byId("inbox");
  notifications.on("receiveNotification", ({ title, body: text, timestamp }) => {
    toast({ title, text });
    const content = element("span", "", element("b", "", title), ` ${text}`);
    inbox.prepend(element("li", "", content, timeOf(Date.parse(timestamp))));
    while (inbox.childElementCount > MAX_ITEMS) inbox.lastElementChild?.remove();
  });
}
