// Notifications in JavaScript: the client of a page that shows what happens to an order.

import { HubConnectionBuilder, type IHubProtocol } from "@microsoft/signalr";
import type { Snippet } from "./snippet.ts";

export async function notifications(
  { url, token, seen }: Snippet,
  protocol: IHubProtocol,
  orderId: string | number,
) {
  const connection = new HubConnectionBuilder()
    .withUrl(`${url}/hubs/notifications`, { accessTokenFactory: () => token })
    .withHubProtocol(protocol)
    .withAutomaticReconnect()
    .build();

  connection.on("ReceiveNotification", (notification) => seen("notification", notification));
  connection.on("OrderStatusChanged", (id, status) => seen("order", id, status));
  connection.on("ReceiveMessage", (user, message) => seen("message", user, message));

  await connection.start();
  await connection.invoke("JoinOrderGroup", orderId);
  return connection;
}
