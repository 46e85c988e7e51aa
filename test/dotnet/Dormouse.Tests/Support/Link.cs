// In place of Microsoft.AspNetCore.Http.Connections.Client, where NuGet lacks it: negotiation and one WebSocket. All
// that SignalR itself is (handshake, calls, streams, both kinds of reconnect) stays the stock client's.

#if !WHOLE
using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Abstractions;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Dormouse.Tests;

public sealed class Links(Door door) : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endPoint, CancellationToken cancel = default)
    {
        var grant = door.Negotiates ? await Negotiate(cancel) : null;
        var link = new Link(door, grant);
        await link.Start(cancel);
        return link;
    }

    private async Task<NegotiationResponse> Negotiate(CancellationToken cancel)
    {
        var query = $"negotiateVersion=1{(door.Stateful ? "&useStatefulReconnect=true" : "")}";
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{door.Url}/negotiate?{query}");
        request.Headers.Add("X-Requested-With", "XMLHttpRequest");
        if (await door.Token() is { } token) request.Headers.Authorization = new("Bearer", token);
        using var response = await http.SendAsync(request, cancel);
        response.EnsureSuccessStatusCode();
        var grant = NegotiateProtocol.ParseResponse(await response.Content.ReadAsByteArrayAsync(cancel));
        if (grant.Error is not null) throw new InvalidOperationException(grant.Error);
        return grant;
    }
}

/// <summary>A connection, over one socket or, with stateful reconnect, over several in turn.</summary>
public sealed class Link : ConnectionContext, IStatefulReconnectFeature, IDuplexPipe
{
    private readonly Door door;
    private readonly NegotiationResponse? grant;
    private readonly CancellationTokenSource stopping = new();
    private readonly Pipe inward = new();
    /// <summary>What the client writes into; another one for each socket.</summary>
    private Pipe outward = new();
    private Func<PipeWriter, Task>? resend;
    private volatile bool resumes;
    private Task running = Task.CompletedTask;

    public Link(Door door, NegotiationResponse? grant)
    {
        (this.door, this.grant) = (door, grant);
        ConnectionId = grant?.ConnectionId ?? "";
        resumes = grant?.UseStatefulReconnect ?? false;
        if (resumes) Features.Set<IStatefulReconnectFeature>(this);
    }

    // Without negotiation nobody has told the client its id.
    public override string ConnectionId { get; set; }
    public override IFeatureCollection Features { get; } = new FeatureCollection();
    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();
    public override IDuplexPipe Transport { get => this; set => throw new NotSupportedException(); }
    public PipeReader Input => inward.Reader;
    public PipeWriter Output => outward.Writer;

    public async Task Start(CancellationToken cancel) => running = Run(await Open(cancel));

    public void OnReconnected(Func<PipeWriter, Task> notify) => resend = notify;
    public void DisableReconnect() => resumes = false;

    private async Task<ClientWebSocket> Open(CancellationToken cancel)
    {
        var url = new UriBuilder(door.Url) { Scheme = door.Url.Scheme == "https" ? "wss" : "ws" };
        if (grant is not null) url.Query = $"id={Uri.EscapeDataString(grant.ConnectionToken!)}";
        var socket = new ClientWebSocket();
        if (await door.Token() is { } token) socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        await socket.ConnectAsync(url.Uri, cancel);
        return socket;
    }

    private async Task Run(ClientWebSocket first)
    {
        Exception? error = null;
        try
        {
            if (await Exchange(first)) return;
            // One attempt after each loss, as the stock transport does it. A Close frame is no loss.
            while (resumes && !stopping.IsCancellationRequested)
            {
                outward = new Pipe();
                var socket = await Open(stopping.Token);
                var exchanged = Exchange(socket);
                await resend!(outward.Writer);
                if (await exchanged) return;
            }
            error = new WebSocketException("The connection was lost.");
        }
        catch (Exception failure)
        {
            error = failure;
        }
        finally
        {
            await inward.Writer.CompleteAsync(stopping.IsCancellationRequested ? null : error);
            await outward.Reader.CompleteAsync();
        }
    }

    /// <summary>Both ways, until it ends. Whether by a Close frame, or by us.</summary>
    private async Task<bool> Exchange(ClientWebSocket socket)
    {
        using var _ = socket;
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        var sending = Send(socket, outward.Reader, lost.Token);
        var closed = await Receive(socket, stopping.Token);
        await lost.CancelAsync();
        await sending;
        return closed;
    }

    /// <summary>Whole messages only: the half of one that was lost must not precede what comes on the next socket.</summary>
    private async Task<bool> Receive(ClientWebSocket socket, CancellationToken stop)
    {
        var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (;;)
            {
                var got = await socket.ReceiveAsync(buffer.AsMemory(), stop);
                if (got.MessageType == WebSocketMessageType.Close) return Closed(socket);
                message.Write(buffer, 0, got.Count);
                if (!got.EndOfMessage) continue;
                await inward.Writer.WriteAsync(message.GetBuffer().AsMemory(0, (int)message.Length), stop);
                message.SetLength(0);
            }
        }
        catch (OperationCanceledException)
        {
            return true;
        }
        catch (WebSocketException)
        {
            // Lost.
            return false;
        }
    }

    private static bool Closed(ClientWebSocket socket) =>
        socket.CloseStatus == WebSocketCloseStatus.NormalClosure
            ? true
            : throw new InvalidOperationException($"The server closed with {(int?)socket.CloseStatus}.");

    private async Task Send(ClientWebSocket socket, PipeReader source, CancellationToken lost)
    {
        try
        {
            for (;;)
            {
                var read = await source.ReadAsync(lost);
                if (!read.Buffer.IsEmpty)
                    await socket.SendAsync(read.Buffer.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
                source.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }
        }
        catch (Exception error) when (error is OperationCanceledException or WebSocketException)
        {
            // The other direction says why it ended.
        }
        await Goodbye(socket);
    }

    private static async Task Goodbye(ClientWebSocket socket)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", late.Token);
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException)
        {
            // It was lost while saying goodbye.
        }
    }

    public override void Abort() => stopping.Cancel();

    public override async ValueTask DisposeAsync()
    {
        resumes = false;
        // What is written must leave before the socket does: the Close message among it.
        await outward.Writer.CompleteAsync();
        await Task.WhenAny(running, Task.Delay(200));
        await stopping.CancelAsync();
        await running;
    }
}
#endif
