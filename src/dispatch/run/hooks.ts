// Runs a hub's hooks: its code for connections and users that come or go.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Host } from "../../rooms/object/host.ts";
import { callContext, messengerOf, type Publications } from "../context/call-context.ts";
import { memberContext, roomContext } from "../context/room-context.ts";
import type { HubContext } from "../define/hub-context.ts";
import { through } from "../define/filters.ts";
import type { Session } from "./session.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/** The connection's first turn: its calls begin when the hub's `connected` is done. */
export async function connectedHook(session: Session): Promise<void> {
  const { served } = session;
  const { connected } = served.hub.settings;
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = async (release: () => void) => {
    const asking = () => {
      session.openGate();
      release();
    };
    try {
      await inContext(session, {
        asking,
        run: (context) =>
          through<void>(
            served,
            (filter, next) => (filter.connected ? filter.connected(context, next) : next()),
            () => connected?.(context),
          ),
      });
    } catch (error) {
      logError("hook_failed", { hub: served.name, hook: "connected", error });
      session.neverBegan = true;
      session.host.connections.close(session.connection, CLOSE.failed, detailOf(session, error));
    }
    if (!session.neverBegan) session.openGate();
    resolve();
  };
  session.gated = [];
  session.inTurn({ id: undefined, run, cancel: () => {} });
  return promise;
}

export async function disconnectedHook(session: Session, error: Error | undefined): Promise<void> {
  const { served } = session;
  const { disconnected } = served.hub.settings;
  if (session.neverBegan || (!disconnected && served.filters.length === 0)) return;
  await inContext(session, {
    run: (context) =>
      through<void>(
        served,
        (filter, next) =>
          filter.disconnected ? filter.disconnected(context, error, next) : next(),
        () => disconnected?.(context, error),
      ),
  });
}

/** The reason that SignalR's clients get: a HubError's always, others where the hub shows details. */
function detailOf({ host }: Session, error: unknown): string | undefined {
  if (error instanceof HubError) return `HubException: ${error.message}`;
  if (!host.settings.detailedErrors) return undefined;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

interface Lifecycle {
  asking?(): void;
  run(context: HubContext<unknown>): unknown;
}

async function inContext(session: Session, { asking, run }: Lifecycle): Promise<void> {
  const { host, served, connection } = session;
  const published: Publications = { tickets: [], elsewhere: [] };
  const messenger = messengerOf({ host, served, ...(asking && { asking }) }, published);
  await run(callContext({ host, caller: connection, messenger, signal: () => session.signal }));
  await Promise.all(published.elsewhere);
}

/** A hook that fails does not keep the others from running. */
export async function presenceHooks(
  host: Host,
  served: ServedHub,
  joined: readonly string[],
  left: readonly string[],
): Promise<void> {
  const { settings } = served.hub;
  const published: Publications = { tickets: [], elsewhere: [] };
  const context = roomContext(host, messengerOf({ host, served }, published), host.room);
  await Promise.all([
    ...joined.map((id) => guarded(served, () => settings.joined?.(memberContext(context, id)))),
    ...left.map((id) => guarded(served, () => settings.left?.(memberContext(context, id)))),
  ]);
  await guarded(served, () => settings.presenceChanged?.(context));
  await guarded(served, () => Promise.all(published.elsewhere));
}

async function guarded(served: ServedHub, hook: () => unknown): Promise<void> {
  try {
    await hook();
  } catch (error) {
    const what = error instanceof HubError ? error.message : error;
    logError("hook_failed", { hub: served.name, hook: "presence", error: what });
  }
}
