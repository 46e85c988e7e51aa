// Composables of Vue over the connections of `hubAt`. They hold a room until the component's scope ends, and open
// nothing while a page is rendered on a server.

import {
  computed,
  effectScope,
  getCurrentInstance,
  onMounted,
  onScopeDispose,
  shallowReadonly,
  shallowRef,
  toValue,
  watch,
  type MaybeRefOrGetter,
  type ShallowRef,
} from "vue";
import type { HandlersOf, Presence, RoomText, State } from "../client/index.ts";
import { callProxy } from "../model/audiences.ts";
import type { HubAt } from "../components/hub-at.ts";
import {
  isPage,
  presenceIn,
  readLive,
  startOf,
  STATE,
  watchHandlers,
  watchLive,
  type LiveValue,
  type RoomReference,
} from "../components/live-values.ts";
import { callsIn, methodOf, type RoomCalls } from "../components/room-calls.ts";
import {
  roomHistory,
  type RoomHistory,
  type RoomHistoryOptions,
} from "../components/room-history.ts";
import { pickedState, runsIn } from "../components/shown-state.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ActionsOf, PresenceStateOf, ViewOf } from "../dispatch/define/hub-types.ts";
import type { Runs } from "../dispatch/define/stateful-room.ts";

/** A room, or a ref or getter of one, whose changes switch to another room. Undefined or null: no room. */
export type RoomSource = MaybeRefOrGetter<RoomText | null | undefined>;

/** The result of the composables: read only, replaced as a whole with every change. */
export type Live<T> = Readonly<ShallowRef<T>>;

/**
 * Runs `attach` for the room, and for each one that replaces it; then calls the function that ends the previous one.
 */
function followRoom<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomSource,
  attach: (room: RoomReference<H>) => () => void,
): void {
  let detach: (() => void) | undefined;
  const follow = () =>
    watch(
      () => toValue(room),
      (now) => {
        const before = detach;
        detach = attach({ hub, room: now });
        before?.();
      },
      { immediate: true },
    );
  // A scope of its own, because a store's scope may outlive the component that is being mounted.
  const scope = effectScope();
  const begin = () => void scope.run(follow);
  const component = getCurrentInstance();
  // Never on servers, where no component is mounted, so that nothing would end it.
  if (component && !component.isMounted) onMounted(begin);
  else if (isPage()) begin();
  onScopeDispose(() => detach?.());
}

function useLive<H extends AnyHub, T>(
  hub: HubAt<H>,
  room: RoomSource,
  valueOf: () => LiveValue<H, T>,
): Live<T> {
  const current = shallowRef(startOf({ hub, room: toValue(room) }, valueOf()));
  followRoom(hub, room, (reference) => {
    const value = valueOf();
    const read = () => void (current.value = readLive(reference, value));
    const end = watchLive(reference, value, read);
    read();
    return end;
  });
  // Shallow, because a proxy of a message or state could not be cloned for IndexedDB and workers.
  return shallowReadonly(current) as Live<T>;
}

/** A room's calls and state, with handlers of the hub's client methods while the component is mounted. */
export function useHub<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomSource,
  handlers: HandlersOf<H> = {},
): Omit<RoomCalls<H>, "hub" | "room"> & { readonly state: Live<State> } {
  followRoom(hub, room, (reference) => watchHandlers(reference, handlers));
  const state = useLive(hub, room, () => STATE);
  const calls = () => callsIn<H>({ hub, room: toValue(room) });
  return {
    state,
    connection: () => calls().connection(),
    track: (shown) => calls().track(shown),
    get invoke() {
      return calls().invoke;
    },
    get send() {
      return calls().send;
    },
    get stream() {
      return calls().stream;
    },
  };
}

/** The users in the room, kept up to date. */
export const usePresence = <H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomSource,
): Live<Presence<PresenceStateOf<H>>> => useLive(hub, room, () => presenceIn<H>());

/** The newest messages of the room, from its history and then live: none missing, none twice. */
export const useHistory = <H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomSource,
  options: RoomHistoryOptions = {},
): Live<RoomHistory<H>> => useLive(hub, room, () => roomHistory<H>(options));

/**
 * The state of a room, or the part that `pick` returns. Undefined before the first snapshot, and without a room.
 *
 * @example
 * const price = useRoomState(Auctions, "group:vase", (auction) => auction.price);
 */
export function useRoomState<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomSource,
): Live<ViewOf<H> | undefined>;
export function useRoomState<H extends AnyHub, T>(
  hub: HubAt<H>,
  room: RoomSource,
  pick: (state: ViewOf<H>) => T,
): Live<T | undefined>;
export function useRoomState<H extends AnyHub>(
  hub: HubAt<H>,
  room: RoomSource,
  pick: (state: ViewOf<H>) => unknown = (state) => state,
): Live<unknown> {
  const whole = useLive(hub, room, () => pickedState((state: ViewOf<H>) => state));
  // Computed, since `pick` may read refs of the component as well.
  const picked = computed(() => (whole.value === undefined ? undefined : pick(whole.value)));
  return picked as unknown as Live<unknown>;
}

/** The actions of a room as calls; they run in the room of the time of the call. */
export const useRun = <H extends AnyHub>(hub: HubAt<H>, room: RoomSource): Runs<ActionsOf<H>> =>
  callProxy((action, args) =>
    methodOf(runsIn({ hub, room: toValue(room) }), action)(...args),
  ) as Runs<ActionsOf<H>>;
