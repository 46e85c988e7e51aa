import { hubAt } from "dormouse-hubs/vue";
import type { ChatHub } from "../../../src/hubs/chat.ts";

export const Chat = hubAt<ChatHub>("/hubs/chat", {});
