// Runs a hub's hooks: `connected` and `disconnected` for one connection, and `joined`, `left` and `presenceChanged` for
// a room.

import { CLOSE, errorLine, isUnexpected } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { Publications } from "../../rooms/delivery/fan-out.ts";
import type { Ending, Host } from "../../rooms/object/host.ts";
import type { UserChanges } from "../../rooms/rpc/presence-view.ts";
import { callContext, messengerOf } from "../context/call-context.ts";
import type { MessengerOptions } from "../context/messenger.ts";
import { memberContext, roomContext } from "../context/room-context.ts";
import type { HubContext } from "../define/hub-context.ts";
import { runtimeAt } from "../define/runtime.ts";
import { runFilters } from "../define/filters.ts";
import { showsDetails } from "./frame-answers.ts";
import type { Session } from "./session.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/**
 * Runs `connected` as the connection's first call. Other calls begin after it, or as soon as it waits for a client's
 * result: the client may call the hub before it answers. If `connected` throws, the connection is closed, and messages
 * received meanwhile are dropped. Never rejects.
 */
export async function connectedHook(session: Session): Promise<void> {
  const { served } = session;
  const { connected } = served.hub.settings;
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = async (release: () => void) => {
    const openForCalls = () => {
      session.openGate();
      release();
    };
    try {
      await runInContext(session, {
        name: "connected",
        asking: openForCalls,
        run: (context) =>
          runFilters<void>(
            served,
            (filter, next) => (filter.connected ? filter.connected(context, next) : next()),
            () => connected?.(context),
          ),
      });
    } catch (error) {
      logError("hook_failed", { hub: served.name, hook: "connected", error: loggedOf(error) });
      session.neverBegan = true;
      session.end(CLOSE.failed, detailOf(session, error));
    }
    if (!session.neverBegan) session.openGate();
    resolve();
  };
  session.gated = [];
  session.began = promise;
  session.calls.inTurn({ id: undefined, held: 0, run, cancel: () => {} });
  return promise;
}

/**
 * Runs `disconnected`, unless `connected` threw. It gets no error for a regular close, nor, as in ASP.NET, for the
 * hub's own `abort()`. Never rejects.
 */
export async function disconnectedHook(
  session: Session,
  { error: given, why }: Ending,
): Promise<void> {
  const { served } = session;
  const error = why === CLOSE.aborted ? undefined : (session.clientError ?? given);
  const { disconnected } = served.hub.settings;
  if (session.neverBegan || (!disconnected && served.filters.length === 0)) return;
  await logFailure(served, "disconnected", () =>
    runInContext(session, {
      name: "disconnected",
      run: (context) =>
        runFilters<void>(
          served,
          (filter, next) =>
            filter.disconnected ? filter.disconnected(context, error, next) : next(),
          () => disconnected?.(context, error),
        ),
    }),
  );
}

/** The error for the log: of a `HubError`, which hub code throws on purpose, only the message without a stack. */
const loggedOf = (error: unknown): unknown =>
  isUnexpected(error) ? error : (error as Error).message;

/**
 * The reason that clients get with the close: the message of a `HubError`; of other errors only if the hub has
 * `detailedErrors`. The texts are ASP.NET Core's.
 */
function detailOf({ host }: Session, error: unknown): string | undefined {
  if (!isUnexpected(error)) return `HubException: ${(error as Error).message}`;
  return showsDetails(host) ? errorLine(error) : undefined;
}

/** A hook of a hub about one connection. */
interface ConnectionHook {
  readonly name: string;
  readonly asking?: MessengerOptions["asking"];
  run(context: HubContext<unknown>): unknown;
}

/** Runs the hook in a context of its own, and waits for its publications in rooms of other objects. */
async function runInContext(
  session: Session,
  { name, asking, run }: ConnectionHook,
): Promise<void> {
  const { host, served, connection } = session;
  const published = new Publications();
  const messenger = messengerOf({ host, served, caller: connection, asking }, published);
  await run(
    callContext({
      ...{ host, served, caller: connection, messenger },
      end: (why) => session.end(why),
      waitUntil: (work) => session.background.add(work, { hub: served.name, method: name }),
      signal: () => session.signal,
    }),
  );
  await Promise.all(published.elsewhere);
}

/**
 * Runs `joined` and `left` of all users in parallel, then `presenceChanged`. Each error is logged, and does not affect
 * the other hooks. Never rejects.
 */
export async function presenceHooks(
  host: Host,
  served: ServedHub,
  { joined, left, traces }: UserChanges,
): Promise<void> {
  const { settings } = served.hub;
  if (!settings.joined && !settings.left && !settings.presenceChanged) return;
  const published = new Publications();
  const contextOf = (method: string, trace?: string) => {
    const runtime = runtimeAt(host, { hub: served.name, method });
    const messenger = messengerOf({ host, served, trace }, published);
    return roomContext({ host, served, runtime, trace }, messenger, host.room);
  };
  const run = (hook: "joined" | "left", ids: readonly string[]) => {
    const untraced = contextOf(hook);
    return ids.map((id) => {
      const trace = traces?.get(id);
      const context = trace === undefined ? untraced : contextOf(hook, trace);
      return logFailure(served, hook, () =>
        settings[hook]?.(memberContext(context, { id, trace })),
      );
    });
  };
  const failures = await Promise.all([...run("joined", joined), ...run("left", left)]);
  const hook = "presenceChanged";
  failures.push(await logFailure(served, hook, () => settings[hook]?.(contextOf(hook))));
  // A message that cannot be sent may have failed its hook already.
  const unlogged = (error: unknown) => {
    if (!failures.includes(error)) throw error;
  };
  const others = [...published.elsewhere].map((one) => one.catch(unlogged));
  await logFailure(served, "presence", () => Promise.all(others));
}

/** Runs a hook that no caller waits for, and logs its error. Resolves with the error, if there is one; never rejects. */
async function logFailure(
  { name: hub }: ServedHub,
  hook: string,
  run: () => unknown,
): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    logError("hook_failed", { hub, hook, error: loggedOf(error) });
    return error;
  }
}
