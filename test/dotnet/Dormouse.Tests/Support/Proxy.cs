// TCP between a client and the endpoint, which can be cut: nobody says goodbye, as when a cable is pulled.

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Dormouse.Tests;

public sealed class Proxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> sockets = new();
    private readonly Uri target;
    private readonly Task accepting;
    private volatile TaskCompletionSource open = Opened();

    public Proxy(Uri target)
    {
        this.target = target;
        listener.Start();
        accepting = Accept();
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>Connections that went through, those before a cut included.</summary>
    public int Count { get; private set; }

    /// <summary>Resets every connection, on both sides.</summary>
    public void Cut()
    {
        foreach (var socket in sockets.Keys)
        {
            if (sockets.TryRemove(socket, out _)) Reset(socket);
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The peer, told by the other half of the cut, was faster.
        }
        socket.Close();
    }

    /// <summary>From now on who connects waits at the door.</summary>
    public void Hold() => open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => open.TrySetResult();

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }

    private async Task Accept()
    {
        try
        {
            for (;;) _ = Join(await listener.AcceptSocketAsync());
        }
        catch (Exception error) when (error is SocketException or InvalidOperationException)
        {
            // The listener was stopped: the case is over.
        }
    }

    private async Task Join(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        client.NoDelay = server.NoDelay = true;
        sockets[client] = sockets[server] = true;
        try
        {
            await open.Task;
            await server.ConnectAsync(target.Host, target.Port);
            Count++;
            await Task.WhenAll(Pipe(client, server), Pipe(server, client));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Cut while it was on its way.
        }
        finally
        {
            sockets.TryRemove(client, out _);
            sockets.TryRemove(server, out _);
            client.Dispose();
            server.Dispose();
        }
    }

    private static async Task Pipe(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            for (;;)
            {
                var length = await from.ReceiveAsync(buffer.AsMemory());
                if (length == 0) break;
                for (var sent = 0; sent < length;) sent += await to.SendAsync(buffer.AsMemory(sent, length - sent));
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Cut, or reset by one side: the other shall know.
            to.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        listener.Stop();
        Cut();
        await accepting;
    }
}
