// What src/hubs and test/support/signalr-hubs.ts offer, as an ASP.NET Core application would write it.

using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dormouse.Tests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;

namespace Dormouse.Reference;

[Authorize]
public sealed class SignalrHub : Hub
{
    public object? Echo(object? value) => value;

    public void Fail(string message) => throw new HubException(message);

    public void Crash() => throw new InvalidOperationException("a secret of the server");

    public Task<bool> Ask(string question) =>
        Clients.Caller.InvokeAsync<bool>("Confirm", question, Context.ConnectionAborted);

    public async IAsyncEnumerable<int> Counter(int to, int delayMs, [EnumeratorCancellation] CancellationToken stop)
    {
        for (var n = 1; n <= to; n++)
        {
            yield return n;
            await Task.Delay(delayMs, stop);
        }
    }

    public async Task<double> Sum(IAsyncEnumerable<double> numbers)
    {
        var sum = 0.0;
        await foreach (var number in numbers) sum += number;
        return sum;
    }

    public Task Join(string name) => Groups.AddToGroupAsync(Context.ConnectionId, name);

    public Task Leave(string name) => Groups.RemoveFromGroupAsync(Context.ConnectionId, name);

    public Task Say(string name, string text) => Clients.Group(name).SendAsync("Said", text);

    public Task SayOthers(string name, string text) => Clients.OthersInGroup(name).SendAsync("Said", text);

    public Task ToUser(string id, string text) => Clients.User(id).SendAsync("Said", text);

    public Identity Whoami() => new() { UserId = Context.UserIdentifier!, ConnectionId = Context.ConnectionId };

    public void Abort() => Context.Abort();
}

[Authorize]
public sealed class ChatHub : Hub
{
    public async Task JoinRoom(string room)
    {
        await Groups.AddToGroupAsync(Context.ConnectionId, room);
        await Clients.Group(room).SendAsync("UserJoined", Context.UserIdentifier, room);
    }

    public async Task LeaveRoom(string room)
    {
        await Groups.RemoveFromGroupAsync(Context.ConnectionId, room);
        await Clients.Group(room).SendAsync("UserLeft", Context.UserIdentifier, room);
    }

    public Task SendToRoom(string room, string message) =>
        Clients.Group(room).SendAsync("ReceiveMessage", Context.UserIdentifier, message);

    public Task BroadcastExceptSelf(string message) =>
        Clients.Others.SendAsync("ReceiveMessage", Context.UserIdentifier, message);
}

[Authorize]
public sealed class OrderHub : Hub
{
    public Task JoinOrderGroup(string orderId) => Groups.AddToGroupAsync(Context.ConnectionId, orderId);

    [Authorize(Roles = "Admin,Manager")]
    public async Task UpdateOrderStatus(string orderId, string status)
    {
        await Clients.Group(orderId).SendAsync("OrderStatusChanged", orderId, status);
        OrderFeed.Publish(orderId, status);
    }
}

[Authorize]
public sealed class NotificationHub : Hub
{
    // A text or a notice, in either protocol: object is JSON's element, or MessagePack's text or map.
    public Task SendToUser(string user, object notice) =>
        Clients.User(user).SendAsync("ReceiveNotification", Notifications.Of(notice));

    public Task SendToGroup(string group, object notice) =>
        Clients.Group(group).SendAsync("ReceiveNotification", Notifications.Of(notice));

    public Task SendMessage(string channel, string message) =>
        Clients.Group(channel).SendAsync("ReceiveMessage", Context.UserIdentifier, message);

    // A text or a number, in either protocol.
    public Task JoinOrderGroup(object orderId) => Groups.AddToGroupAsync(Context.ConnectionId, $"order-{orderId}");

    public Task LeaveOrderGroup(object orderId) => Groups.RemoveFromGroupAsync(Context.ConnectionId, $"order-{orderId}");

    public IAsyncEnumerable<Price> StreamPrices(string symbol, CancellationToken stop) =>
        new PriceHub().StreamPrices(symbol, stop);
}

[Authorize]
public sealed class PresenceHub : Hub
{
    private static readonly ConcurrentDictionary<string, string> Online = new();

    public override Task OnConnectedAsync()
    {
        Online[Context.ConnectionId] = Context.UserIdentifier!;
        return Clients.All.SendAsync("OnlineUsersUpdated", GetOnlineUsers());
    }

    public override async Task OnDisconnectedAsync(Exception? exception)
    {
        Online.TryRemove(Context.ConnectionId, out _);
        await Clients.All.SendAsync("UserLeft", Context.UserIdentifier);
        await Clients.All.SendAsync("OnlineUsersUpdated", GetOnlineUsers());
    }

    public string[] GetOnlineUsers() => [.. Online.Values.Distinct().Order()];
}

[Authorize]
public sealed class PriceHub : Hub
{
    public async IAsyncEnumerable<Price> StreamPrices(string symbol, [EnumeratorCancellation] CancellationToken stop)
    {
        for (; ; await Task.Delay(100, stop))
            yield return new() { Symbol = symbol, Value = 10 + Random.Shared.NextDouble(), Timestamp = $"{DateTime.UtcNow:O}" };
    }
}

[Authorize]
public sealed class UploadHub : Hub
{
    public async Task<Summary> UploadData(IAsyncEnumerable<Reading> readings)
    {
        var all = await readings.ToListAsync();
        if (all.Count == 0) return new();
        var values = all.Select(reading => reading.Value).ToArray();
        return new()
        {
            Count = all.Count,
            Sensors = [.. all.Select(reading => reading.Sensor).Distinct()],
            Min = values.Min(),
            Max = values.Max(),
            Mean = values.Average(),
        };
    }
}

[Authorize(Roles = "Admin,Manager")]
public sealed class AdminHub : Hub
{
    [Authorize(Roles = "users.manage")]
    public Task BroadcastAlert(string message) => Clients.All.SendAsync("AlertReceived", message);
}
