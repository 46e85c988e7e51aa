#if WHOLE
using Microsoft.AspNetCore.Http.Connections;
#endif
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Connecting
{
    [Case("with a token, after negotiation, tells the client its id")]
    public static async Task Negotiated(Lab lab)
    {
        var connection = await lab.Connect(new Door("signalr") { User = "ada" });
        var identity = await connection.InvokeAsync<Identity>("Whoami");
        Expect.Equal("ada", identity.UserId);
        Expect.Equal(connection.ConnectionId, identity.ConnectionId);
    }

    [Case("with a token, without negotiation, tells nobody an id and works")]
    public static async Task Straight(Lab lab)
    {
        var connection = await lab.Connect(new Door("signalr") { User = "ada", Negotiates = false });
        Expect.Equal("ada", (await connection.InvokeAsync<Identity>("Whoami")).UserId);
        Expect.True(string.IsNullOrEmpty(connection.ConnectionId), "the client knows no id");
    }

    [Case("without a token is refused by negotiation with 401")]
    public static async Task NoToken(Lab lab)
    {
        var connection = lab.Build(new Door("signalr") { User = null });
        var error = await Expect.Throws<HttpRequestException>(() => connection.StartAsync());
        Expect.Equal(401, (int?)error.StatusCode);
    }

    [Case("without a token is refused by the upgrade with 401")]
    public static async Task NoTokenNoNegotiation(Lab lab)
    {
        var connection = lab.Build(new Door("signalr") { User = null, Negotiates = false });
        var error = await Expect.Throws<Exception>(() => connection.StartAsync());
        Expect.True(error.ToString().Contains("401"), $"the failure names 401: {error.Message}");
    }

    [Case("to a hub that does not exist is refused with 404")]
    public static async Task NoHub(Lab lab)
    {
        var connection = lab.Build(new Door("nothing"));
        var error = await Expect.Throws<HttpRequestException>(() => connection.StartAsync());
        Expect.Equal(404, (int?)error.StatusCode);
    }

    [Case("is ended by the hub for good: no reconnect follows")]
    public static async Task Aborted(Lab lab)
    {
        var connection = await lab.Connect(new Door("signalr") { RetryMs = [0, 0] });
        var closed = new TaskCompletionSource<string>();
        connection.Reconnecting += _ => { closed.TrySetResult("reconnecting"); return Task.CompletedTask; };
        connection.Closed += _ => { closed.TrySetResult("closed"); return Task.CompletedTask; };
        await connection.SendAsync("Abort");
        Expect.Equal("closed", await Expect.Soon(closed.Task, "the end"));
    }

    [Case("starts again after it was stopped, with another id")]
    public static async Task Restarted(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        var before = connection.ConnectionId;
        await connection.StopAsync();
        Expect.Equal(HubConnectionState.Disconnected, connection.State);
        await connection.StartAsync();
        Expect.True(connection.ConnectionId != before, "the id is another");
        Expect.Equal("back", await connection.InvokeAsync<string>("Echo", "back"));
    }

#if WHOLE
    [Case("works over Server-Sent Events", Wire.Json)]
    public static Task Events(Lab lab) => Over(lab, HttpTransportType.ServerSentEvents);

    [Case("works over long polling")]
    public static Task Polling(Lab lab) => Over(lab, HttpTransportType.LongPolling);

    private static async Task Over(Lab lab, HttpTransportType transport)
    {
        var connection = await lab.Connect(new Door("signalr") { Transport = transport });
        var said = connection.Hear<string>("Said");
        var room = Lab.Name("room");
        await connection.InvokeAsync("Join", room);
        await connection.InvokeAsync("Say", room, "heard");
        Expect.Equal("heard", await said.Next());
        Expect.Equal("there and back", await connection.InvokeAsync<string>("Echo", "there and back"));
    }
#endif
}
