// Our client in rooms with state of the real worker, inside workerd.

import { onTestFinished, vi } from "vitest";
import { connect, type RoomState, type StatefulConnection } from "../../src/state/index.ts";
import type { Guesses } from "../../src/state/state-types.ts";
import type { AnyHub } from "../../src/dispatch/define/hub-definition.ts";
import { WorkerSocket } from "../client/worker-socket.ts";
import { token } from "../rooms/client.ts";

const OPTIONS = { WebSocket: WorkerSocket, backoff: { baseMs: 10, capMs: 100 } } as const;

export interface Entering<H extends AnyHub> {
  readonly room: string;
  readonly user?: string;
  readonly guesses?: Guesses<H>;
}

/** On a socket of the room's own; the snapshot is there. */
export async function entered<H extends AnyHub>(
  hub: H,
  { room, user = "alice", guesses }: Entering<H>,
): Promise<StatefulConnection<H>> {
  const connection = connect<H>(`wss://edge.example/hubs/${hub.name}`, {
    ...OPTIONS,
    ...{ room: `group:${room}`, token: () => token(user), guesses },
  });
  onTestFinished(() => connection.close());
  await connection.ready;
  return connection;
}

/** Waits until the room's state is so. Polled: promises of an object belong to it. */
export const until = <H extends AnyHub>(
  room: RoomState<H>,
  isSo: (state: NonNullable<RoomState<H>["state"]>) => unknown,
): Promise<unknown> =>
  vi.waitUntil(() => room.state !== undefined && isSo(room.state!), { timeout: 5_000 });
