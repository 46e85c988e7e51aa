// Notifications in C#: a client with typed handlers.

using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Mission;

public record NotificationMessage(string Title, string Body, string Severity, DateTime Timestamp);

public sealed class NotificationClient(HubConnection connection, Action<string> seen)
{
    public async Task Start(Guid orderId)
    {
        connection.On<NotificationMessage>("ReceiveNotification", message =>
            seen($"[{message.Severity}] {message.Title}: {message.Body} ({message.Timestamp:HH:mm:ss})"));
        connection.On<string, string>("OrderStatusChanged", (id, status) => seen($"order {id} is {status}"));
        connection.On<string, string>("ReceiveMessage", (user, message) => seen($"{user}: {message}"));
        connection.On<string>("UserJoined", user => seen($"{user} joined"));
        connection.On<string>("UserLeft", user => seen($"{user} left"));

        await connection.StartAsync();
        await connection.InvokeAsync("JoinOrderGroup", orderId);
    }

    public Task Alert(string userId, DateTime now) =>
        connection.InvokeAsync(
            "SendToUser", userId, new NotificationMessage("Alert", "Server load high", "Warning", now));

    public async Task<int> Prices(int count)
    {
        var prices = 0;
        await foreach (var price in connection.StreamAsync<object>("StreamPrices", "AAPL"))
            if (++prices == count) break;
        return prices;
    }
}
