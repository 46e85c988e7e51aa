// A room of a chat with Vue: e2e/components.test.ts checks its output.

import { createApp, h, ref } from "vue";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { hubAt, useHistory, useHub, usePresence, type RoomText } from "../../src/vue/index.ts";

const query = new URLSearchParams(location.search);
const name = query.get("room") ?? "lobby";
const Chat = hubAt<ChatHub>(query.get("hub") ?? "/hubs/chat", { token: query.get("token") ?? "" });

createApp({
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
}).mount(document.body.appendChild(document.createElement("main")));
