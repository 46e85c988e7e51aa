// What one case works with: connections in its protocol, names nobody else has, and an end to all of it.

using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests;

/// <summary>How a connection is to be made.</summary>
public sealed record Door(string Hub)
{
    /// <summary>Null: without a token.</summary>
    public string? User { get; init; } = Lab.Name("user");
    public string[] Roles { get; init; } = [];
    public bool Negotiates { get; init; } = true;
    public bool Stateful { get; init; }
    /// <summary>Waits before each attempt to come back; none: no automatic reconnect.</summary>
    public int[] RetryMs { get; init; } = [];
    public Uri Base { get; init; } = Endpoint.Url;
    public HttpTransportType Transport { get; init; } = HttpTransportType.WebSockets;

    public Uri Url => new(Base, $"/hubs/{Hub}");
    public Task<string?> Token() => Task.FromResult(User is null ? null : Endpoint.Token(User, Roles));
}

public sealed class Lab(Wire wire) : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> open = new();

    public Wire Wire => wire;

    public static string Name(string what) => $"{what}-{Guid.NewGuid():N}";

    /// <summary>Not started yet.</summary>
    public HubConnection Build(Door door)
    {
        var builder = new HubConnectionBuilder().Reach(door, wire);
        if (door.RetryMs.Length > 0)
            builder.WithAutomaticReconnect([.. door.RetryMs.Select(ms => TimeSpan.FromMilliseconds(ms))]);
        return Keep(builder.Build());
    }

    public async Task<HubConnection> Connect(Door door)
    {
        var connection = Build(door);
        await connection.StartAsync().WaitAsync(Expect.Patience);
        return connection;
    }

    public Task<HubConnection> Connect(string hub) => Connect(new Door(hub));

    public Task<HubConnection> Connect(string hub, string user, params string[] roles) =>
        Connect(new Door(hub) { User = user, Roles = roles });

    /// <summary>A way to the endpoint that can be cut.</summary>
    public Proxy Proxy() => Keep(new Proxy(Endpoint.Url));

    private T Keep<T>(T one)
        where T : IAsyncDisposable
    {
        open.Push(one);
        return one;
    }

    public async ValueTask DisposeAsync()
    {
        while (open.TryPop(out var one))
        {
            try
            {
                await one.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
            }
            catch (Exception error)
            {
                // The case has its verdict; what could not be closed ends with the process.
                Console.Error.WriteLine($"     closing: {error.Message}");
            }
        }
    }
}
