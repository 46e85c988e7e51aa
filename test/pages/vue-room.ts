// A room of a chat, or an auction, with Vue: e2e/components.test.ts checks its output.

import { createApp, h, ref } from "vue";
import type { AuctionHub } from "../../src/hubs/auction.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import {
  hubAt,
  useHistory,
  useHub,
  usePresence,
  useRoomState,
  useRun,
  type RoomText,
} from "../../src/vue/index.ts";

const query = new URLSearchParams(location.search);
const name = query.get("room") ?? "lobby";
const Chat = hubAt<ChatHub>(query.get("hub") ?? "/hubs/chat", { token: query.get("token") ?? "" });

const auction = {
  setup() {
    const Auctions = hubAt<AuctionHub>(query.get("auctions")!, { token: query.get("token") ?? "" });
    const room = ref<RoomText | null>(`group:${name}`);
    const price = useRoomState(Auctions, room, (state) => state.price);
    const whole = useRoomState(Auctions, room);
    const { bid } = useRun(Auctions, room);
    return () => [
      h("p", { title: "Price" }, `${price.value}`),
      h("p", { title: "Leader" }, whole.value?.leader),
      h("button", { onClick: () => bid((price.value ?? 0) + 10) }, "Bid"),
      h("button", { onClick: () => (room.value = null) }, "Leave"),
    ];
  },
};

const chatRoom = {
  setup() {
    const room = ref<RoomText | null>(`group:${name}`);
    const count = ref(0);
    const chat = useHub(Chat, room, { receiveMessage: () => (count.value += 1) });
    const presence = usePresence(Chat, room);
    const history = useHistory(Chat, room);
    const lines = () =>
      history.value.messages.flatMap((message) =>
        message.method === "receiveMessage" ? message.params.join(": ") : [],
      );
    return () => [
      h("output", chat.state.value.status),
      h("p", { title: "Members" }, [...presence.value.members.keys()].toSorted().join(", ")),
      h("p", { title: "Messages" }, lines().join(", ")),
      h("p", { title: "Heard" }, `${count.value}`),
      h("button", { onClick: () => chat.invoke.sendToRoom(name, "from Vue") }, "Send"),
      h("button", { onClick: () => (room.value = null) }, "Leave"),
    ];
  },
};

createApp(query.has("auctions") ? auction : chatRoom).mount(
  document.body.appendChild(document.createElement("main")),
);
