using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Refreshing
{
    /// <summary>Of the tokens.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    [Case("over WebSockets the connection goes on, and the client is told how long")]
    public static Task Sockets(Lab lab) => Over(lab, HttpTransportType.WebSockets);

    [Case("over Server-Sent Events likewise", Wire.Json)]
    public static Task Events(Lab lab) => Over(lab, HttpTransportType.ServerSentEvents);

    [Case("over long polling likewise")]
    public static Task Polling(Lab lab) => Over(lab, HttpTransportType.LongPolling);

    private static async Task Over(Lab lab, HttpTransportType transport)
    {
        var connection = await lab.Connect(new Door("signalr") { User = "ada", Transport = transport });
        var id = connection.ConnectionId;
        var refreshed = new TaskCompletionSource<TimeSpan?>();
        connection.AuthenticationRefreshed += about =>
        {
            refreshed.TrySetResult(about.NewTokenLifetime);
            return Task.CompletedTask;
        };
        foreach (var lifetime in new[] { await connection.RefreshAuthenticationAsync(), await refreshed.Task })
            Expect.True(lifetime <= Lifetime && lifetime > Lifetime - TimeSpan.FromMinutes(1), $"a lifetime: {lifetime}");
        Expect.Equal("after", await connection.InvokeAsync<string>("Echo", "after"));
        Expect.Equal(id, connection.ConnectionId);
    }

    [Case("gives the calls that follow the roles of the new token")]
    public static async Task Roles(Lab lab)
    {
        string[] roles = [];
        var user = Lab.Name("user");
        await using var connection = new HubConnectionBuilder()
            .WithUrl(new Door("orders").Url, options =>
                options.AccessTokenProvider = () => Task.FromResult<string?>(Endpoint.Token(user, roles)))
            .Build();
        await connection.StartAsync();
        await Expect.Throws<HubException>(() => connection.InvokeAsync("UpdateOrderStatus", Lab.Name("order"), "shipped"));
        roles = ["Manager"];
        await connection.RefreshAuthenticationAsync();
        await connection.InvokeAsync("UpdateOrderStatus", Lab.Name("order"), "shipped");
    }

    [Case("is refused for the token of another user, and the connection goes on")]
    public static async Task AnotherUser(Lab lab)
    {
        var user = "ada";
        await using var connection = new HubConnectionBuilder()
            .WithUrl(new Door("signalr").Url, options =>
                options.AccessTokenProvider = () => Task.FromResult<string?>(Endpoint.Token(user)))
            .Build();
        await connection.StartAsync();
        user = "bob";
        var error = await Expect.Throws<Exception>(() => connection.RefreshAuthenticationAsync());
        Expect.True(error.ToString().Contains("404"), $"the failure names 404: {error.Message}");
        Expect.Equal("after", await connection.InvokeAsync<string>("Echo", "after"));
    }
}
