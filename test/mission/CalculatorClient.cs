// JSON-RPC in C#: StreamJsonRpc over a WebSocket.

using System.Net.WebSockets;
using StreamJsonRpc;

namespace Dormouse.Mission;

public interface ICalculator
{
    Task<double> Add(double a, double b);
    Task<double> DivideAsync(double a, double b);
}

public static class CalculatorClient
{
    public static async Task<JsonRpc> Connect(Uri url, string token)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        await socket.ConnectAsync(new UriBuilder(url) { Scheme = "ws", Path = "/jsonrpc" }.Uri, default);
        var rpc = new JsonRpc(new WebSocketMessageHandler(socket, new SystemTextJsonFormatter()));
        rpc.StartListening();
        return rpc;
    }
}
