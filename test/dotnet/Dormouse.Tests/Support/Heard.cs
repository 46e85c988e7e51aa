// What the server called on a client, in order.

using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests;

public sealed class Heard<T>(string target)
{
    private readonly Channel<T> calls = Channel.CreateUnbounded<T>();

    public void Add(T call) => calls.Writer.TryWrite(call);

    public Task<T> Next() => Expect.Soon(calls.Reader.ReadAsync().AsTask(), target);

    /// <summary>The first that is of interest; others before it are passed over.</summary>
    public async Task<T> Next(Func<T, bool> matches)
    {
        for (;;)
        {
            var call = await Next();
            if (matches(call)) return call;
        }
    }

    public async Task<List<T>> Take(int count)
    {
        var taken = new List<T>();
        while (taken.Count < count) taken.Add(await Next());
        return taken;
    }

    /// <summary>All that came and was not taken.</summary>
    public List<T> Rest()
    {
        var rest = new List<T>();
        while (calls.Reader.TryRead(out var call)) rest.Add(call);
        return rest;
    }
}

public static class Hearing
{
    public static Heard<T> Hear<T>(this HubConnection connection, string target)
    {
        var heard = new Heard<T>(target);
        connection.On<T>(target, heard.Add);
        return heard;
    }

    public static Heard<(string, string)> HearTwo(this HubConnection connection, string target)
    {
        var heard = new Heard<(string, string)>(target);
        connection.On<string, string>(target, (one, other) => heard.Add((one, other)));
        return heard;
    }
}
