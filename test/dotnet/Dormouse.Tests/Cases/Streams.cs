using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Streams
{
    [Case("from the server come item by item, and end")]
    public static async Task Counter(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        var items = new List<int>();
        await foreach (var item in connection.StreamAsync<int>("Counter", 5, 10)) items.Add(item);
        Expect.Equal([1, 2, 3, 4, 5], items);
    }

    [Case("from the server come as a channel too")]
    public static async Task AsChannel(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        var reader = await connection.StreamAsChannelAsync<int>("Counter", 3, 0);
        Expect.Equal([1, 2, 3], await reader.ReadAllAsync().ToListAsync());
    }

    [Case("of prices begin with a price, and end when they are cancelled")]
    public static async Task Prices(Lab lab)
    {
        var connection = await lab.Connect("prices");
        using var enough = new CancellationTokenSource();
        var prices = new List<Price>();
        try
        {
            await foreach (var price in connection.StreamAsync<Price>("StreamPrices", "EUR", enough.Token))
            {
                prices.Add(price);
                if (prices.Count == 2) await enough.CancelAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // As the client says that it has stopped.
        }
        Expect.Equal(["EUR", "EUR"], prices.Select(price => price.Symbol));
        Expect.True(prices.All(price => price.Value > 0), "a price is above zero");
        // The connection, and another stream on it, go on.
        await foreach (var price in connection.StreamAsync<Price>("StreamPrices", "USD"))
        {
            Expect.Equal("USD", price.Symbol);
            break;
        }
    }

    [Case("of a method that does not stream fail in SignalR's words")]
    public static async Task NotAStream(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        var error = await Expect.Throws<HubException>(
            async () => await connection.StreamAsync<int>("Echo", 1).ToListAsync());
        Expect.Equal("The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation.", error.Message);
    }

    [Case("to the server are summed up: an IAsyncEnumerable")]
    public static async Task Enumerable(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        Expect.Equal(10, await connection.InvokeAsync<double>("Sum", Numbers()));

        static async IAsyncEnumerable<double> Numbers()
        {
            foreach (var number in new[] { 1.0, 2, 3, 4 })
            {
                await Task.Delay(5);
                yield return number;
            }
        }
    }

    [Case("to the server are summed up: readings from a ChannelReader")]
    public static async Task Readings(Lab lab)
    {
        var connection = await lab.Connect("uploads");
        var readings = Channel.CreateBounded<Reading>(2);
        var summary = connection.InvokeAsync<Summary>("UploadData", readings.Reader);
        foreach (var (sensor, value) in new[] { ("a", 1.5), ("b", 4), ("a", 0.5) })
            await readings.Writer.WriteAsync(new Reading { Sensor = sensor, Value = value });
        readings.Writer.Complete();
        var expected = new Summary { Count = 3, Sensors = ["a", "b"], Min = 0.5, Max = 4, Mean = 2 };
        Expect.Equal(expected, await Expect.Soon(summary, "the summary"));
    }

    [Case("to the server may be empty")]
    public static async Task Empty(Lab lab)
    {
        var connection = await lab.Connect("uploads");
        var readings = Channel.CreateUnbounded<Reading>();
        readings.Writer.Complete();
        Expect.Equal(new Summary(), await connection.InvokeAsync<Summary>("UploadData", readings.Reader));
    }

    [Case("to the server that break at the client fail the call")]
    public static async Task BrokenUpload(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        var error = await Expect.Throws<HubException>(() => connection.InvokeAsync<double>("Sum", Numbers()));
        Expect.True(error.Message.StartsWith("An unexpected error occurred invoking 'Sum' on the server."), error.Message);

        static async IAsyncEnumerable<double> Numbers()
        {
            yield return 1;
            await Task.Yield();
            throw new InvalidOperationException("no more paper");
        }
    }
}
