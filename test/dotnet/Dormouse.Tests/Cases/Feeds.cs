// Server-Sent Events, read by .NET's own parser.

using Dormouse.Mission;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Feeds
{
    [Case("mission: /events/orders has each order's update as order-update", Wire.Json)]
    public static async Task Orders(Lab lab)
    {
        var staff = await lab.Connect("orders", Lab.Name("staff"), "Manager");
        using var http = new HttpClient { BaseAddress = Endpoint.Url };
        using var stop = new CancellationTokenSource(Expect.Patience);
        var (order, token) = (Lab.Name("order"), Endpoint.Token(Lab.Name("user")));
        await using var updates = OrderEvents.Read(http, token, stop.Token).GetAsyncEnumerator(stop.Token);
        // The stream may begin after an update: they are sent until one is read.
        for (var next = updates.MoveNextAsync().AsTask(); !next.IsCompleted;)
        {
            await staff.InvokeAsync("UpdateOrderStatus", order, "shipped", stop.Token);
            await Task.WhenAny(next, Task.Delay(100, stop.Token));
            if (next.IsCompleted) Expect.True(await next, "the stream goes on");
        }
        Expect.Equal(new OrderUpdate(order, "shipped"), updates.Current);
    }
}
