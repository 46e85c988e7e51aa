// The application after sign-in: connects to four rooms, and fills their panels.

import { connect, type Connection, type ConnectOptions, type Hello } from "../src/client/index.ts";
import type { AnyHub } from "../src/dispatch/define/hub-definition.ts";
import type { ChatHub } from "../src/hubs/chat.ts";
import type { NotificationHub } from "../src/hubs/notifications.ts";
import type { OrderHub } from "../src/hubs/orders.ts";
import type { PriceHub } from "../src/hubs/prices.ts";
import { chatPanel } from "./chat.ts";
import { byId, within } from "./dom.ts";
import { inspector } from "./inspector.ts";
import { notifyPanel } from "./notify.ts";
import { objectCard, type RoomConnection } from "./object-cards.ts";
import { ORDER, orderPanel } from "./order.ts";
import { pricePanel } from "./prices.ts";
import { sessionBar } from "./session-bar.ts";
import type { SignIn } from "./sign-in.ts";
import { switchableToken } from "./tokens.ts";
import { Traffic } from "./traffic.ts";

const UPDATE_MS = 500;

/** Rejects if the chat room refuses the connection. The user may then sign in again. */
export async function startApp(signIn: SignIn): Promise<void> {
  const source = switchableToken(signIn.token);
  const onFrame = inspector();
  const allTraffic: Traffic[] = [];
  const open = <H extends AnyHub>(hub: string, room: ConnectOptions<H>["room"]): AppRoom<H> => {
    const traffic = new Traffic(hub, onFrame);
    const { token } = source;
    const connection = connect<H>(`/hubs/${hub}`, { room, token, WebSocket: traffic.WebSocket });
    allTraffic.push(traffic);
    return { traffic, room, connection };
  };
  const chat = open<ChatHub>("chat", `group:${signIn.room}`);
  const { userId } = await firstGreeting(chat.connection);
  showApp(signIn);
  const orders = open<OrderHub>("orders", `order:${ORDER}`);
  const notifications = open<NotificationHub>("notifications", `user:${userId}`);
  const prices = open<PriceHub>("prices", "group:market");

  chatPanel(chat.connection, signIn.room);
  orderPanel(orders.connection);
  pricePanel(prices.connection);
  notifyPanel(notifications.connection, userId);
  const disconnect = (): void => allTraffic.forEach((traffic) => traffic.disconnect());
  const updateBar = sessionBar(chat.connection, userId, Object.assign(source, { disconnect }));
  const updateCards = [chat, orders, notifications, prices].map(objectCard);
  repeat((now) => {
    const isConnected = chat.connection.state.status === "connected";
    const isAsleep = isConnected && chat.traffic.isAsleep(now);
    document.body.dataset["mood"] = isAsleep ? "asleep" : "awake";
    for (const update of [updateBar, ...updateCards]) update(now);
  });
}

interface AppRoom<H extends AnyHub> extends RoomConnection {
  readonly connection: Connection<H>;
}

/** The first failure ends the sign-in: a browser does not report why a handshake was refused, so waiting is no use. */
async function firstGreeting<H extends AnyHub>(connection: Connection<H>): Promise<Hello> {
  const { promise, reject } = Promise.withResolvers<never>();
  const unsubscribe = connection.onError(() =>
    reject(new Error("There was no way in: is the token for this server, and the name allowed?")),
  );
  try {
    return await Promise.race([connection.ready, promise]);
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    unsubscribe();
  }
}

function showApp({ room, isManager }: SignIn): void {
  document.body.dataset["at"] = "house";
  byId("door").hidden = true;
  byId("house").hidden = false;
  byId("role").hidden = !isManager;
  within(document, ".skip").hidden = false;
  document.title = `#${room} · Dormouse`;
  byId("say").focus();
}

function repeat(update: (now: number) => void): void {
  update(Date.now());
  setInterval(() => update(Date.now()), UPDATE_MS);
}
