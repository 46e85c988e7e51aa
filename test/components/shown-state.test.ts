// The state of rooms for components: shared by all that show a room, whichever of them came first.

import { effectScope, ref } from "vue";
import { expect, it, onTestFinished, vi } from "vitest";
import { hubAt, type HubAt, type HubAtOptions } from "../../src/components/hub-at.ts";
import { readLive, STATE, watchLive } from "../../src/components/live-values.ts";
import { pickedState, runsIn } from "../../src/components/shown-state.ts";
import { stateStore } from "../../src/svelte/stores.ts";
import { useRoomState } from "../../src/vue/composables.ts";
import { advance, outcomeOf, type FakeServer } from "../client/server.ts";
import type { AuctionHub } from "../state/hub.ts";
import { answerTo, FIRST, greet, onFakeClock, patch, runsOf, VASE } from "../state/room.ts";

interface Setting {
  readonly server: FakeServer;
  readonly hub: HubAt<AuctionHub>;
}

function setUp(options: Partial<HubAtOptions<AuctionHub>> = {}): Setting {
  const server = onFakeClock();
  const { WebSocket } = server;
  const hub = hubAt<AuctionHub>("wss://host/hubs/auctions", { token: "t", WebSocket, ...options });
  return { server, hub };
}

/** Every value that the component shows, until the test ends. */
async function shown<T>({ hub }: Setting, pick: (state: typeof FIRST) => T) {
  const room = { hub, room: VASE } as const;
  const value = pickedState<AuctionHub, T>(pick);
  const values: (T | undefined)[] = [];
  const end = watchLive(room, value, () => void values.push(readLive(room, value)));
  onTestFinished(async () => {
    end();
    await vi.advanceTimersByTimeAsync(1);
  });
  await advance();
  return values;
}

it("is one copy for two components, of which the second comes later", async () => {
  const setting = setUp();
  const prices = await shown(setting, ({ price }) => price);
  greet(setting, { state: FIRST });
  await advance();
  setting.server.socket.deliver(patch({ price: 120 }, 11));
  await advance();
  const leaders = await shown(setting, ({ leader }) => leader);
  setting.server.socket.deliver(patch({ leader: "bob" }, 12));
  await advance();
  expect([prices.at(-1), leaders.at(-1)]).toEqual([120, "bob"]);
  expect(setting.server.sockets).toHaveLength(1);
  expect(setting.server.socket.sentMessages).toEqual([]);
});

it("is asked for where a component without it opened the room", async () => {
  const setting = setUp();
  const end = watchLive({ hub: setting.hub, room: VASE }, STATE, () => {});
  onTestFinished(end);
  await advance();
  greet(setting, { state: FIRST });
  const prices = await shown(setting, ({ price }) => price);
  const { socket } = setting.server;
  const [request] = socket.sentMessages;
  socket.deliver({ id: request?.id, result: { state: FIRST, position: "e:10" } });
  await advance();
  expect([request?.method, prices]).toEqual(["$/snapshot", [100]]);
});

it("has the guesses of the hub's description", async () => {
  const guesses = {
    bid: (state: { price: number }, amount: number) => void (state.price = amount),
  };
  const setting = setUp({ guesses });
  const prices = await shown(setting, ({ price }) => price);
  greet(setting, { state: FIRST });
  await advance();
  const outcome = outcomeOf(runsIn<AuctionHub>({ hub: setting.hub, room: VASE }).bid(150));
  await advance();
  expect(prices).toEqual([100, 150]);
  const { socket } = setting.server;
  const frame = [patch({ price: 150 }, 11), answerTo(runsOf(socket)[0], 11, 150)];
  socket.deliver(JSON.stringify(frame));
  await advance();
  expect([await outcome, prices]).toEqual([{ value: 150 }, [100, 150]]);
});

it("has actions that stay the same functions, and fail where there is no room", async () => {
  const { hub } = setUp();
  const runs = runsIn<AuctionHub>({ hub, room: null });
  expect(runs.bid).toBe(runs.bid);
  expect("then" in runs ? runs.then : undefined).toBeUndefined();
  expect(await outcomeOf(runs.bid(1))).toEqual({ code: "closed" });
});

it("is a store of Svelte, with the actions", async () => {
  vi.stubGlobal("document", {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const setting = setUp();
  const vase = stateStore(setting.hub, VASE, ({ price }) => price);
  const prices: (number | undefined)[] = [];
  onTestFinished(vase.subscribe((price) => prices.push(price)));
  await advance();
  greet(setting, { state: FIRST });
  await advance();
  void outcomeOf(vase.run.bid(120));
  await advance();
  setting.server.socket.deliver(patch({ bids: {} }, 11));
  setting.server.socket.deliver(patch({ price: 120 }, 12));
  await advance();
  expect(prices).toEqual([undefined, 100, 120]);
  expect(runsOf(setting.server.socket)[0]?.params).toMatchObject([{ action: "bid" }]);
});

it("is picked anew in Vue when what `pick` reads has changed", async () => {
  const setting = setUp();
  vi.stubGlobal("document", {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const [scope, factor] = [effectScope(), ref(2)];
  const price = scope.run(() =>
    useRoomState(setting.hub, VASE, (auction) => auction.price * factor.value),
  )!;
  await advance();
  expect(price.value).toBeUndefined();
  greet(setting, { state: FIRST });
  await advance();
  setting.server.socket.deliver(patch({ price: 120 }, 11));
  await advance();
  expect(price.value).toBe(240);
  factor.value = 3;
  expect(price.value).toBe(360);
  scope.stop();
  await advance();
});
