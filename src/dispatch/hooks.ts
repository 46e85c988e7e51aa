// Runs a hub's presence hooks. One that fails does not keep the others from running.

import { HubError } from "../model/errors.ts";
import type { Host } from "../rooms/receiver.ts";
import { memberContext, roomContext, voiceOf } from "./contexts.ts";
import type { ServedHub } from "./tables.ts";

export async function presenceHooks(
  host: Host,
  served: ServedHub,
  joined: readonly string[],
  left: readonly string[],
): Promise<void> {
  const { settings } = served.hub;
  const voice = voiceOf({ host, served }, { tickets: [], elsewhere: [] });
  const context = roomContext(host, voice, host.address.topic);
  await Promise.all([
    ...joined.map((id) => guarded(served, () => settings.joined?.(memberContext(context, id)))),
    ...left.map((id) => guarded(served, () => settings.left?.(memberContext(context, id)))),
  ]);
  await guarded(served, () => settings.presenceChanged?.(context));
}

async function guarded(served: ServedHub, hook: () => unknown): Promise<void> {
  try {
    await hook();
  } catch (error) {
    const what = error instanceof HubError ? error.message : error;
    console.error(`A presence hook of ${served.name}:`, what);
  }
}
