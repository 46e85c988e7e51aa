// As `dormouse types --typescript` writes it.

import type { RemoteHub } from "dormouse-hubs/client";

export type ChatHub = RemoteHub<{
  methods: { sendToRoom(arg1: string, arg2: string): unknown };
  client: { receiveMessage(user: string, text: string): void };
}>;
