using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Reconnecting
{
    [Case("automatic: a client that was cut comes back as a new connection")]
    public static async Task Automatic(Lab lab)
    {
        var proxy = lab.Proxy();
        var connection = await lab.Connect(new Door("signalr") { Base = proxy.Url, RetryMs = [0, 100, 500] });
        var before = connection.ConnectionId;
        var back = new TaskCompletionSource<string?>();
        connection.Reconnected += id => { back.TrySetResult(id); return Task.CompletedTask; };
        proxy.Cut();
        var after = await Expect.Soon(back.Task, "the reconnect");
        Expect.True(after is not null && after != before, "the id is another");
        Expect.Equal("back", await connection.InvokeAsync<string>("Echo", "back"));
    }

    [Case("automatic: calls under way when the connection was cut fail")]
    public static async Task UnderWay(Lab lab)
    {
        var proxy = lab.Proxy();
        var connection = await lab.Connect(new Door("signalr") { Base = proxy.Url, RetryMs = [0, 100, 500] });
        connection.On<string, bool>("Confirm", async _ =>
        {
            proxy.Cut();
            await Task.Delay(50);
            return true;
        });
        await Expect.Throws<Exception>(() => connection.InvokeAsync<bool>("Ask", "sure?"));
    }

    [Case("stateful: what is said both ways while the connection is cut arrives once, in order")]
    public static async Task Stateful(Lab lab)
    {
        var proxy = lab.Proxy();
        var room = Lab.Name("room");
        var one = await lab.Connect(new Door("signalr-stateful") { Base = proxy.Url, Stateful = true, RetryMs = [0] });
        var other = await lab.Connect("signalr-stateful");
        var (atOne, atOther) = (one.Hear<string>("Said"), other.Hear<string>("Said"));
        var reconnected = false;
        one.Reconnecting += _ => { reconnected = true; return Task.CompletedTask; };
        await one.InvokeAsync("Join", room);
        await other.InvokeAsync("Join", room);
        var (before, through) = (one.ConnectionId, proxy.Count);

        var texts = Enumerable.Range(1, 30).Select(n => $"{n}").ToList();
        var saying = Task.WhenAll(Say(one, room, texts), Say(other, room, texts));
        foreach (var _ in new[] { 1, 2 })
        {
            await Task.Delay(80);
            proxy.Hold();
            proxy.Cut();
            await Task.Delay(150);
            proxy.Release();
        }
        Expect.Equal(texts, await atOne.Take(texts.Count));
        Expect.Equal(texts, await atOther.Take(texts.Count));
        await saying.WaitAsync(Expect.Patience);
        Expect.Equal("end", await one.InvokeAsync<string>("Echo", "end"));
        Expect.Equal((0, 0).ToString(), (atOne.Rest().Count, atOther.Rest().Count).ToString());
        Expect.Equal(before, one.ConnectionId);
        Expect.True(!reconnected, "the client never was without its connection");
        Expect.Equal(through + 2, proxy.Count);
    }

    [Case("stateful: a call under way when the connection was cut is answered")]
    public static async Task StatefulCall(Lab lab)
    {
        var proxy = lab.Proxy();
        var one = await lab.Connect(new Door("signalr-stateful") { Base = proxy.Url, Stateful = true });
        one.On<string, bool>("Confirm", _ =>
        {
            proxy.Cut();
            return true;
        });
        Expect.Equal(true, await Expect.Soon(one.InvokeAsync<bool>("Ask", "sure?"), "the answer"));
    }

    [Case("stateful: a hub that does not allow it serves the client without")]
    public static async Task NotAllowed(Lab lab)
    {
        var connection = await lab.Connect(new Door("signalr") { Stateful = true });
        Expect.Equal("plain", await connection.InvokeAsync<string>("Echo", "plain"));
    }

    /// <summary>To the others in the room, one after another, over half a second.</summary>
    private static async Task Say(HubConnection connection, string room, List<string> texts)
    {
        foreach (var text in texts)
        {
            await connection.SendAsync("SayOthers", room, text);
            await Task.Delay(15);
        }
    }
}
