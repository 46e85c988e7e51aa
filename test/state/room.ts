// A connection to a room with state, to the fake server of the client's tests.

import { onTestFinished, vi } from "vitest";
import { connect, type RoomState, type StatefulConnection } from "../../src/state/index.ts";
import type { Guesses } from "../../src/state/state-types.ts";
import { advance, FakeServer, HALF, type FakeSocket, type SentMessage } from "../client/server.ts";
import type { Auction, AuctionHub } from "./hub.ts";

export const VASE = "group:vase";
export const FIRST: Auction = { price: 100, bids: { a: { amount: 100 } } };

export interface RoomSetting {
  readonly server: FakeServer;
  readonly connection: StatefulConnection<AuctionHub>;
  readonly room: RoomState<AuctionHub>;
}

/** On a fake clock. Fails the test if timers are left after the close. */
export async function connectingRoom(guesses: Guesses<AuctionHub> = {}): Promise<RoomSetting> {
  const server = onFakeClock();
  const connection = connect<AuctionHub>("wss://host/hubs/auctions", {
    ...{ room: VASE, token: "t", backoff: { random: () => HALF }, WebSocket: server.WebSocket },
    guesses,
  });
  closeAfterTest(connection);
  await advance();
  return { server, connection, room: connection.room };
}

/** Its position is `e:10`. */
export async function connectedRoom(guesses: Guesses<AuctionHub> = {}): Promise<RoomSetting> {
  const setting = await connectingRoom(guesses);
  greet(setting, { state: FIRST });
  await advance();
  return setting;
}

export function onFakeClock(): FakeServer {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  return new FakeServer();
}

export function closeAfterTest(connection: { close(): void }): void {
  onTestFinished(() => {
    connection.close();
    const left = vi.getTimerCount();
    if (left > 0) throw new Error(`${left} timers are left after close.`);
  });
}

export const greet = ({ server }: Pick<RoomSetting, "server">, hello: object): void =>
  server.socket.greet({ room: VASE, ...hello });

export const patch = (change: object, offset: number | string, room = VASE) => ({
  method: "$/state",
  params: { patch: change },
  room,
  position: typeof offset === "number" ? `e:${offset}` : offset,
});

export const snapshot = (state: Auction, position: string, room = VASE) => ({
  ...{ method: "$/state", params: { state }, room, position },
});

/** The runs that the client has sent on a socket. */
export const runsOf = (socket: FakeSocket): readonly SentMessage[] =>
  socket.sentMessages.filter(({ method }) => method === "$/run");

export const answerTo = (run: SentMessage | undefined, offset: number, result: unknown = null) => ({
  id: run?.id,
  result: { result, position: `e:${offset}`, repeated: false },
});

export const refusalOf = (run: SentMessage | undefined, code: string) => ({
  ...{ id: run?.id, error: { code: -32000, message: "No.", data: { code } } },
});
