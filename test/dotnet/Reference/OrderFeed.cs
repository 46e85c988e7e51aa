using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Dormouse.Reference;

/// <summary>The updates of all orders, for every reader of /events/orders.</summary>
internal static class OrderFeed
{
    private static readonly ConcurrentDictionary<Channel<OrderUpdate>, bool> Readers = new();

    public sealed record OrderUpdate(string OrderId, string Status);

    public static void Publish(string orderId, string status)
    {
        foreach (var (reader, _) in Readers) reader.Writer.TryWrite(new OrderUpdate(orderId, status));
    }

    public static async IAsyncEnumerable<OrderUpdate> Read([EnumeratorCancellation] CancellationToken stop)
    {
        var channel = Channel.CreateUnbounded<OrderUpdate>();
        Readers[channel] = true;
        try
        {
            await foreach (var update in channel.Reader.ReadAllAsync(stop)) yield return update;
        }
        finally
        {
            Readers.TryRemove(channel, out _);
        }
    }
}
