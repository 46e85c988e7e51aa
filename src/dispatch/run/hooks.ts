// Runs a hub's hooks: what happens because a connection or a user comes or goes, and not because of a call.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Host } from "../../rooms/object/host.ts";
import {
  callContext,
  memberContext,
  roomContext,
  voiceOf,
  type Said,
} from "../context/build-contexts.ts";
import type { HubContext } from "../context/context.ts";
import { through } from "../define/filters.ts";
import type { Session } from "./session.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/** The connection's first turn: its calls begin when the hub has done what it does at the beginning. */
export async function connectedHook(session: Session, served: ServedHub): Promise<void> {
  const { connected } = served.hub.settings;
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = async (release: () => void) => {
    const asking = () => {
      session.open();
      release();
    };
    try {
      await inContext(session, served, {
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
      session.host.close(session.connection, CLOSE.failed, detailOf(session, error));
    }
    if (!session.neverBegan) session.open();
    resolve();
  };
  session.gated = [];
  session.inTurn({ id: undefined, run, cancel: () => {} });
  return promise;
}

export async function disconnectedHook(
  session: Session,
  served: ServedHub,
  error: Error | undefined,
): Promise<void> {
  const { disconnected } = served.hub.settings;
  if (session.neverBegan || (!disconnected && served.filters.length === 0)) return;
  await inContext(session, served, {
    run: (context) =>
      through<void>(
        served,
        (filter, next) =>
          filter.disconnected ? filter.disconnected(context, error, next) : next(),
        () => disconnected?.(context, error),
      ),
  });
}

/** What SignalR's clients are told of it: a HubError always, others where the hub shows details. */
function detailOf({ host }: Session, error: unknown): string | undefined {
  if (error instanceof HubError) return `HubException: ${error.message}`;
  if (!host.settings.detailedErrors) return undefined;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

interface Lifecycle {
  asking?(): void;
  run(context: HubContext<unknown>): unknown;
}

async function inContext(
  { host, connection, signal }: Session,
  served: ServedHub,
  { asking, run }: Lifecycle,
): Promise<void> {
  const said: Said = { tickets: [], elsewhere: [] };
  const voice = voiceOf({ host, served, ...(asking && { asking }) }, said);
  await run(callContext({ host, caller: connection, voice, signal: () => signal }));
  await Promise.all(said.elsewhere);
}

/** One that fails does not keep the others from running. */
export async function presenceHooks(
  host: Host,
  served: ServedHub,
  joined: readonly string[],
  left: readonly string[],
): Promise<void> {
  const { settings } = served.hub;
  const said: Said = { tickets: [], elsewhere: [] };
  const context = roomContext(host, voiceOf({ host, served }, said), host.room);
  await Promise.all([
    ...joined.map((id) => guarded(served, () => settings.joined?.(memberContext(context, id)))),
    ...left.map((id) => guarded(served, () => settings.left?.(memberContext(context, id)))),
  ]);
  await guarded(served, () => settings.presenceChanged?.(context));
  await guarded(served, () => Promise.all(said.elsewhere));
}

async function guarded(served: ServedHub, hook: () => unknown): Promise<void> {
  try {
    await hook();
  } catch (error) {
    const what = error instanceof HubError ? error.message : error;
    logError("hook_failed", { hub: served.name, hook: "presence", error: what });
  }
}
