// Vue's composables where no component ends them: in the scope of a store, or in one alone.

import {
  createRenderer,
  defineComponent,
  effectScope,
  h,
  nextTick,
  onMounted,
  reactive,
  ref,
} from "vue";
import { expect, it, onTestFinished, vi } from "vitest";
import { hubAt } from "../../src/components/hub-at.ts";
import type { RoomText } from "../../src/client/index.ts";
import type { AnyHub } from "../../src/dispatch/define/hub-definition.ts";
import { stateOf } from "../../src/state/state-of.ts";
import { useHub } from "../../src/vue/composables.ts";
import { advance, FakeServer, fakeClock } from "../client/server.ts";
import type { TestHub } from "../client/hubs.ts";

/** Renders nothing anywhere. */
const { createApp } = createRenderer<object, object>({
  ...{ createElement: () => ({}), createText: () => ({}), createComment: () => ({}) },
  ...{ insert() {}, remove() {}, patchProp() {}, setText() {}, setElementText() {} },
  ...{ parentNode: () => null, nextSibling: () => null },
});

function setUp() {
  fakeClock();
  vi.stubGlobal("document", {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const server = new FakeServer();
  const { WebSocket } = server;
  const Test = hubAt<TestHub>("wss://host/hubs/test", { token: "t", WebSocket });
  const rooms = () => server.sockets.map(({ url }) => url.pathname.split("/").at(-1));
  const open = () => server.sockets.filter(({ closedWith }) => closedWith === undefined).length;
  return { Test, WebSocket, rooms, open };
}

it("hold a room in a scope without a component, until it ends", async () => {
  const { Test, rooms, open } = setUp();
  const scope = effectScope(true);
  const chat = scope.run(() => useHub(Test, "group:lobby"))!;
  await advance();
  expect([rooms(), open(), chat.state.value.status]).toEqual([["lobby"], 1, "connecting"]);
  scope.stop();
  await advance();
  expect(open()).toBe(0);
});

it.each([true, false])(
  "give connections that a store may hold (one socket: %s)",
  async (oneSocket) => {
    const { WebSocket } = setUp();
    const Test = hubAt<TestHub>("wss://host/hubs/test", { token: "t", WebSocket, oneSocket });
    const { connection, release } = Test.hold("group:lobby");
    const room = stateOf<AnyHub>(connection as never, "group:lobby");
    const store = reactive({ connection, room }) as unknown as {
      connection: typeof connection;
      room: typeof room;
    };
    expect([store.connection.presence.users, store.connection.position]).toEqual([0, undefined]);
    expect([store.room.state, typeof store.connection.invoke.say]).toEqual([undefined, "function"]);
    release();
    await advance();
  },
);

it("follow a store's room when the component that made the store is gone", async () => {
  const { Test, rooms, open } = setUp();
  const room = ref<RoomText>("group:one");
  const [store, isShown] = [effectScope(true), ref(true)];
  const First = defineComponent({
    setup() {
      store.run(() => useHub(Test, room));
      return () => h("p");
    },
  });
  const app = createApp({ setup: () => () => (isShown.value ? h(First) : h("i")) });
  app.mount({});
  await advance();
  isShown.value = false;
  await nextTick();
  room.value = "group:two";
  await nextTick();
  await advance();
  expect([rooms(), open()]).toEqual([["one", "two"], 1]);
  store.stop();
  app.unmount();
  await advance();
  expect(open()).toBe(0);
});

it("open a store's room where the store is made once a component is mounted", async () => {
  const { Test, rooms } = setUp();
  const store = effectScope(true);
  const setup = () => {
    onMounted(() => store.run(() => useHub(Test, "group:late")));
    return () => h("p");
  };
  const app = createApp({ setup });
  app.mount({});
  await advance();
  expect(rooms()).toEqual(["late"]);
  store.stop();
  app.unmount();
  await advance();
});
