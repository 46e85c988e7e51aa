// The values of composables, hooks and stores when a page is rendered on a server: nothing is opened there.

import { createElement } from "react";
import { renderToString as renderReact } from "react-dom/server";
import { createSSRApp, ref } from "vue";
import { renderToString } from "vue/server-renderer";
import { expect, it } from "vitest";
import { hubAt } from "../../src/components/hub-at.ts";
import { readLive, STATE } from "../../src/components/live-values.ts";
import { roomHistory } from "../../src/components/room-history.ts";
import { useHistory as useReactHistory, useHub as useReactHub } from "../../src/react/index.ts";
import { historyStore, presenceStore, roomStore, stateStore } from "../../src/svelte/stores.ts";
import { useHistory, useHub, usePresence, useRoomState } from "../../src/vue/composables.ts";
import { FakeServer } from "../client/server.ts";
import type { TestHub } from "../client/hubs.ts";

const server = new FakeServer();
const Test = hubAt<TestHub>("/hubs/test", { token: "t", WebSocket: server.WebSocket });
const LOBBY = "group:lobby";

it("Vue shows a room that is connecting", async () => {
  const app = createSSRApp({
    setup() {
      const { state } = useHub(Test, LOBBY, { said: () => {} });
      const presence = usePresence(Test, () => LOBBY);
      const history = useHistory(Test, LOBBY);
      const room = useRoomState(Test, LOBBY);
      return () =>
        [state.value.status, presence.value.users, history.value.isLoading, room.value].join();
    },
  });
  expect(await renderToString(app)).toBe("connecting,0,true,");
  expect(server.sockets).toEqual([]);
});

it.each([null, undefined])("Vue shows that there is no room (%s)", async (none) => {
  const app = createSSRApp({
    setup() {
      const { state } = useHub(Test, ref(none));
      const presence = usePresence(Test, none);
      const history = useHistory(Test, () => none);
      const room = useRoomState(Test, none);
      return () =>
        [state.value.status, presence.value.users, history.value.isLoading, room.value].join();
    },
  });
  expect(await renderToString(app)).toBe("closed,0,false,");
});

it("Vue's values can be cloned", async () => {
  const app = createSSRApp({
    setup() {
      const values = [usePresence(Test, LOBBY), useHistory(Test, LOBBY), useHub(Test, LOBBY).state];
      return () => structuredClone(values.map(({ value }) => value)).length;
    },
  });
  expect(await renderToString(app)).toBe("3");
});

it("React shows that there is no room", () => {
  function Room() {
    const chat = useReactHub(Test, { room: null });
    return [chat.state.status, useReactHistory(chat).isLoading].join();
  }
  expect(renderReact(createElement(Room))).toBe("closed,false");
});

it("live values without a room are those of no room", () => {
  const none = { hub: Test, room: null };
  expect(readLive(none, STATE)).toEqual({ status: "closed" });
  expect(readLive(none, roomHistory())).toEqual({ messages: [], isLoading: false });
});

it("Svelte shows a room that is connecting", () => {
  const values: unknown[] = [];
  const stores = [
    roomStore(Test, LOBBY, { said: () => {} }),
    presenceStore(Test, LOBBY),
    historyStore(Test, LOBBY),
    stateStore(Test, LOBBY),
  ];
  for (const store of stores) store.subscribe((value: unknown) => values.push(value))();
  expect(values).toMatchObject([
    { status: "connecting" },
    { users: 0 },
    { isLoading: true },
    undefined,
  ]);
  expect(server.sockets).toEqual([]);
});
