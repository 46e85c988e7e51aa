// The stock SignalR client, as it is on npm: the script of readers.ts.

export { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
