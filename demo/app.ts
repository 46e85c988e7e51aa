// The application after sign-in: one socket to the demo's hub, on which it joins its rooms, and fills their panels.

import {
  connect,
  roomOf,
  type Connection,
  type HubConnection,
  type RoomGreeting,
} from "../src/client/index.ts";
import type { DemoHub } from "../src/hubs/demo.ts";
import { stateOf } from "../src/state/index.ts";
import { auctionPanel, guessesOf } from "./auction.ts";
import { chatPanel } from "./chat.ts";
import { codePanels } from "./code.ts";
import { byId, within } from "./dom.ts";
import { inspector } from "./inspector.ts";
import { notifyPanel } from "./notify.ts";
import { objectCard } from "./object-cards.ts";
import { ORDER, orderPanel } from "./order.ts";
import { pricePanel } from "./prices.ts";
import { readersPanel } from "./readers.ts";
import { sessionBar } from "./session-bar.ts";
import type { SignIn } from "./sign-in.ts";
import { switchableToken } from "./tokens.ts";
import { RELAY, Traffic } from "./traffic.ts";

const UPDATE_MS = 500;

/** One of its rooms, on the socket that all of them share. */
export type RoomConnection = Connection<DemoHub, RoomGreeting>;

/** Rejects if the hub or the room refuses the connection. The user may then sign in again. */
export async function startApp(signIn: SignIn): Promise<void> {
  const source = switchableToken(signIn.token);
  const traffic = new Traffic(inspector());
  const options = { token: source.token, WebSocket: traffic.WebSocket };
  const demo = connect<DemoHub>("/hubs/demo", options);
  const room = `group:${signIn.room}` as const;
  const { chat, userId } = await enter(demo, room);
  showApp(signIn);
  const order = roomOf(demo, `order:${ORDER}`);
  const auction = stateOf(chat, room, { guesses: guessesOf(userId) });

  chatPanel(chat, signIn.room);
  orderPanel(order);
  pricePanel(demo);
  notifyPanel(demo, userId);
  readersPanel(signIn.room, source.token);
  codePanels();
  const objects = [RELAY, room, `order:${ORDER}`, `user:${userId}`] as const;
  const offline = Object.assign(source, { disconnect: () => traffic.disconnect() });
  const updates = [
    sessionBar(demo, userId, offline),
    auctionPanel({ auction, demo }, userId),
    ...objects.map((name) => objectCard({ name, activity: traffic.activityOf(name), demo })),
  ];
  repeat((now) => {
    const isConnected = demo.state.status === "connected";
    const isAsleep = isConnected && traffic.activityOf(room).isAsleep(now);
    document.body.dataset["mood"] = isAsleep ? "asleep" : "awake";
    for (const update of updates) update(now);
  });
}

/** The first failure ends the sign-in: the form shows its reason. */
async function enter(
  demo: HubConnection<DemoHub>,
  room: `group:${string}`,
): Promise<{ readonly chat: RoomConnection; readonly userId: string }> {
  const { promise, reject } = Promise.withResolvers<never>();
  const unsubscribe = demo.onError(reject);
  try {
    const chat = roomOf(demo, room);
    const { userId } = await Promise.race([chat.ready, promise]);
    return { chat, userId };
  } catch (error) {
    demo.close();
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
