// Server-Sent Events in C#: the updates of all orders.

using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Dormouse.Mission;

public record OrderUpdate(string OrderId, string Status);

public static class OrderEvents
{
    public static async IAsyncEnumerable<OrderUpdate> Read(
        HttpClient http, string token, [EnumeratorCancellation] CancellationToken stop = default)
    {
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        await using var stream = await http.GetStreamAsync("/events/orders", stop);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(stop))
            if (item.EventType == "order-update")
                yield return JsonSerializer.Deserialize<OrderUpdate>(item.Data, JsonSerializerOptions.Web)!;
    }
}
