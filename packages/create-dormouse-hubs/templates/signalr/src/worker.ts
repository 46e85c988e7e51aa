// In Program.cs: builder.Services.AddSignalR(); app.MapHub<ChatHub>("/hubs/chat");

import { serve } from "dormouse-hubs/server";
import { ChatHub } from "./chat.ts";

const { Room, Relay, Account, endpoint } = serve([ChatHub]);
export { Room, Relay, Account };
export default endpoint;
