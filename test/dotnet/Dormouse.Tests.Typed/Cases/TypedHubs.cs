// The written client against the hub that it was written from.

using System.Threading.Channels;
using Dormouse.Declared;
using Microsoft.AspNetCore.SignalR;

namespace Dormouse.Tests.Cases;

public static class TypedHubs
{
    private sealed class Client : IDeclaredClient
    {
        public Channel<(string, Note)> Notes { get; } = Channel.CreateUnbounded<(string, Note)>();
        public Channel<(string, long?)> Marks { get; } = Channel.CreateUnbounded<(string, long?)>();

        public Task Noted(string user, Note note) => Notes.Writer.WriteAsync((user, note)).AsTask();
        public Task Marked(string level, long? arg2) => Marks.Writer.WriteAsync((level, arg2)).AsTask();
        public Task<bool> Confirm(string question) => Task.FromResult(question == "sure?");
    }

    [Case("take records, give records, and are called back")]
    public static async Task Records(Lab lab)
    {
        var (user, client) = (Lab.Name("user"), new Client());
        var connection = await lab.Connect("declared", user);
        var hub = new DeclaredHub(connection);
        using var handlers = hub.On(client);
        var note = new Note { Text = "hello", Tags = ["a", "b"] };
        Expect.Equal(note with { Rating = 1 }, await hub.NoteAsync(note));
        Expect.Equal(note with { Rating = 3.5 }, await hub.NoteAsync(note with { Rating = 2.5 }));
        var (by, noted) = await Expect.Soon(client.Notes.Reader.ReadAsync().AsTask(), "the note");
        Expect.Equal((user, null as double?).ToString(), (by, noted.Rating).ToString());
        Expect.Equal(note, noted);
        await hub.MarkAsync("high");
        var (level, rest) = await Expect.Soon(client.Marks.Reader.ReadAsync().AsTask(), "the mark");
        Expect.Equal(("high", null as long?).ToString(), (level, rest).ToString());
    }

    [Case("ask their client, and get its answer")]
    public static async Task Answers(Lab lab)
    {
        var hub = new DeclaredHub(await lab.Connect("declared"));
        using var handler = hub.OnConfirm(question => Task.FromResult(question == "sure?"));
        Expect.Equal(true, await hub.AskAsync("sure?"));
        Expect.Equal(false, await hub.AskAsync("really?"));
    }

    [Case("no longer call a client whose handlers were disposed")]
    public static async Task Disposed(Lab lab)
    {
        var hub = new DeclaredHub(await lab.Connect("declared"));
        hub.On(new Client()).Dispose();
        await Expect.Throws<HubException>(() => hub.AskAsync("sure?"));
    }

    [Case("stream both ways, and end when they are cancelled")]
    public static async Task Streams(Lab lab)
    {
        var hub = new DeclaredHub(await lab.Connect("declared"));
        Expect.Equal(6.5, await hub.UploadAsync(Readings()));
        var items = new List<double>();
        await foreach (var reading in hub.CountAsync(3)) items.Add(reading.Value);
        Expect.Equal([1, 2, 3], items);
        using var enough = new CancellationTokenSource();
        var seen = 0;
        try
        {
            await foreach (var _ in hub.CountAsync(1_000_000, enough.Token))
                if (++seen == 2) await enough.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // As the client says that it has stopped.
        }
        Expect.True(seen < 1_000_000, "the stream has ended");

        static async IAsyncEnumerable<UploadArg1> Readings()
        {
            foreach (var value in new[] { 1, 2.5, 3 })
            {
                await Task.Yield();
                yield return new UploadArg1 { Sensor = "s", Value = value };
            }
        }
    }

    [Case("refuse what a schema refuses although its type admits it")]
    public static async Task Refused(Lab lab)
    {
        var hub = new DeclaredHub(await lab.Connect("declared"));
        await Expect.Throws<HubException>(() => hub.MarkAsync("middle"));
    }
}
