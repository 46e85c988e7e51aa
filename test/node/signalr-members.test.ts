// Every public member of SignalR's server types has a row in the guide for those who move. The members are those of
// .NET 10.0.12, by reflection: `type.GetMembers(Public | Instance | Static | DeclaredOnly)`.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const GUIDE = readFileSync(new URL("../../docs/moving-from-signalr.md", import.meta.url), "utf8");

const MEMBERS: Readonly<Record<string, string>> = {
  Hub: "Clients Context Dispose Groups OnConnectedAsync OnDisconnectedAsync",
  HubCallerContext: "Abort ConnectionAborted ConnectionId Features Items User UserIdentifier",
  IHubCallerClients: "Caller Others OthersInGroup",
  IHubClients: "All AllExcept Client Clients Group GroupExcept Groups User Users",
  IClientProxy: "SendCoreAsync SendAsync InvokeCoreAsync InvokeAsync",
  IGroupManager: "AddToGroupAsync RemoveFromGroupAsync",
  IHubContext: "Clients Groups",
  HubOptions:
    "ClientTimeoutInterval DisableImplicitFromServicesParameters EnableDetailedErrors " +
    "HandshakeTimeout KeepAliveInterval MaximumParallelInvocationsPerClient " +
    "MaximumReceiveMessageSize StatefulReconnectBufferSize StreamBufferCapacity SupportedProtocols",
  HttpConnectionDispatcherOptions:
    "AllowStatefulReconnects ApplicationMaxBufferSize AuthorizationData " +
    "CloseOnAuthenticationExpiration LongPolling MinimumProtocolVersion TransportMaxBufferSize " +
    "TransportSendTimeout Transports WebSockets",
  LongPollingOptions: "PollTimeout",
  WebSocketOptions: "CloseTimeout SubProtocolSelector",
  IHubFilter: "InvokeMethodAsync OnConnectedAsync OnDisconnectedAsync",
};

/** The names in the first cells of the guide's tables, without their arguments. */
const named = new Set(
  GUIDE.split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split(" | ")[0]!.matchAll(/`(?<name>\w+)/g)])
    .map(({ groups }) => groups!["name"]!),
);

it.each(Object.entries(MEMBERS))("%s has a row for each member", (_, members) => {
  expect(members.split(" ").filter((member) => !named.has(member))).toEqual([]);
});
