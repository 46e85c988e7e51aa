// A guest comes in: four rooms are entered, and their panels come to life.

import { connect, type Connection, type ConnectOptions, type Hello } from "../src/client/index.ts";
import type { AnyHub } from "../src/dispatch/define/hub-definition.ts";
import type { ChatHub } from "../src/hubs/chat.ts";
import type { NotificationHub } from "../src/hubs/notifications.ts";
import type { OrderHub } from "../src/hubs/orders.ts";
import type { PriceHub } from "../src/hubs/prices.ts";
import { chatPanel } from "./chat.ts";
import { byId, within } from "./dom.ts";
import { inspector } from "./inspector.ts";
import { Line } from "./line.ts";
import { nestOf, type Watched } from "./nests.ts";
import { notifyPanel } from "./notify.ts";
import { ORDER, orderPanel } from "./order.ts";
import { pricePanel } from "./prices.ts";
import { sessionBar } from "./session-bar.ts";
import type { Guest } from "./sign-in.ts";
import { switchable } from "./tokens.ts";

const TICK_MS = 500;

/** Rejects where the room cannot be entered; the guest may try again. */
export async function enterHouse(guest: Guest): Promise<void> {
  const gate = switchable(guest.token);
  const watch = inspector();
  const lines: Line[] = [];
  const enter = <H extends AnyHub>(hub: string, room: ConnectOptions<H>["room"]): Entered<H> => {
    const line = new Line(hub, watch);
    const { token } = gate;
    const connection = connect<H>(`/hubs/${hub}`, { room, token, WebSocket: line.WebSocket });
    lines.push(line);
    return { line, room, connection };
  };
  const chat = enter<ChatHub>("chat", `group:${guest.room}`);
  const { userId: me } = await firstHello(chat.connection);
  open(guest);
  const orders = enter<OrderHub>("orders", `order:${ORDER}`);
  const notifications = enter<NotificationHub>("notifications", `user:${me}`);
  const prices = enter<PriceHub>("prices", "group:market");

  chatPanel(chat.connection, guest.room);
  orderPanel(orders.connection);
  pricePanel(prices.connection);
  notifyPanel(notifications.connection, me);
  const cut = (): void => lines.forEach((line) => line.cut());
  const bar = sessionBar(chat.connection, me, Object.assign(gate, { cut }));
  const nests = [chat, orders, notifications, prices].map(nestOf);
  everyTick((now) => {
    const isQuiet = chat.connection.state.status === "connected" && chat.line.isAsleep(now);
    document.body.dataset["mood"] = isQuiet ? "asleep" : "awake";
    for (const update of [bar, ...nests]) update(now);
  });
}

interface Entered<H extends AnyHub> extends Watched {
  readonly connection: Connection<H>;
}

/** A browser does not say why a socket was refused, so the first failure is the answer. */
async function firstHello<H extends AnyHub>(connection: Connection<H>): Promise<Hello> {
  const { promise, reject } = Promise.withResolvers<never>();
  const forget = connection.onError(() =>
    reject(new Error("There was no way in: is the token for this server, and the name allowed?")),
  );
  try {
    return await Promise.race([connection.ready, promise]);
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    forget();
  }
}

function open({ room, isManager }: Guest): void {
  document.body.dataset["at"] = "house";
  byId("door").hidden = true;
  byId("house").hidden = false;
  byId("role").hidden = !isManager;
  within(document, ".skip").hidden = false;
  document.title = `#${room} · Dormouse`;
  byId("say").focus();
}

function everyTick(update: (now: number) => void): void {
  update(Date.now());
  setInterval(() => update(Date.now()), TICK_MS);
}
