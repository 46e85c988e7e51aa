// Rooms with state through the stock client: the copy is that of docs/state.md (MergePatch, from the page itself).

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Dormouse.DeclaredRooms;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class RoomStates
{
    private static readonly Note Hello = new() { Text = "hello", Tags = [] };

    /// <summary>A client's copy of a room's state, and every state that it had.</summary>
    private sealed class Copy
    {
        private readonly Channel<string> states = Channel.CreateUnbounded<string>();
        private JsonNode? state;

        public List<string> Rooms { get; } = [];
        public List<string> Positions { get; } = [];

        // Over MessagePack a value of any kind is an object: a dictionary, a list, a number.
        public Copy(HubConnection connection)
        {
            connection.On<string, object, string>("RoomState", (room, whole, position) =>
                Take(room, Node(whole), position));
            connection.On<string, object, string>("RoomPatch", (room, patch, position) =>
                Take(room, MergePatch.Apply(state, Node(patch)), position));
        }

        private static JsonNode? Node(object value) => JsonSerializer.SerializeToNode(value);

        private void Take(string room, JsonNode? taken, string position)
        {
            state = taken;
            Rooms.Add(room);
            Positions.Add(position);
            states.Writer.TryWrite(taken?.ToJsonString() ?? "null");
        }

        public Task<string> Next() => Expect.Soon(states.Reader.ReadAsync().AsTask(), "a state");
    }

    [Case("come whole on joining, then as patches, in order")]
    public static async Task Patches(Lab lab)
    {
        var (user, room) = (Lab.Name("user"), Lab.Name("room"));
        var connection = await lab.Connect("declared-rooms", user);
        var (hub, copy) = (new DeclaredRoomsHub(connection), new Copy(connection));
        await hub.JoinAsync(room);
        Expect.Equal("""{"notes":{},"count":0}""", await copy.Next());
        Expect.Equal(1, await hub.PinAsync(room, "a", Hello));
        Expect.Equal("""{"notes":{"a":{"text":"hello","tags":[]}},"count":1}""", Sorted(await copy.Next()));
        Expect.Equal(2, await hub.PinAsync(room, "b", Hello with { Rating = 2.5 }));
        Expect.Equal(
            """{"notes":{"a":{"text":"hello","tags":[]},"b":{"text":"hello","rating":2.5,"tags":[]}},"count":2}""",
            Sorted(await copy.Next()));
        Expect.Equal([room, room, room], copy.Rooms.Select(name => name.Split(':').Last()));
        Expect.Equal(3, copy.Positions.Distinct().Count());
    }

    [Case("reach everyone in the room, and a late one whole")]
    public static async Task Everyone(Lab lab)
    {
        var room = Lab.Name("room");
        var (one, other) = (await lab.Connect("declared-rooms"), await lab.Connect("declared-rooms"));
        var (first, second) = (new DeclaredRoomsHub(one), new DeclaredRoomsHub(other));
        var early = new Copy(one);
        await first.JoinAsync(room);
        await early.Next();
        await first.PinAsync(room, "a", Hello);
        var noted = new Heard<string>("Noted");
        using var handler = second.OnNoted((_, note) =>
        {
            noted.Add(note.Text);
            return Task.CompletedTask;
        });
        var late = new Copy(other);
        await second.JoinAsync(room);
        Expect.Equal(await early.Next(), await late.Next());
        await first.PinAsync(room, "b", Hello with { Text = "again" });
        Expect.Equal("again", await noted.Next());
        Expect.Equal(await early.Next(), await late.Next());
    }

    [Case("are nodes of JSON for those who ask for them, as the page does", Wire.Json)]
    public static async Task Nodes(Lab lab)
    {
        var (connection, room) = (await lab.Connect("declared-rooms"), Lab.Name("room"));
        var counts = new Heard<long>("RoomPatch");
        JsonNode? copy = null;
        connection.On<string, JsonNode, string>("RoomState", (room, state, position) => copy = state);
        connection.On<string, JsonNode, string>("RoomPatch", (room, patch, position) =>
        {
            copy = MergePatch.Apply(copy, patch);
            counts.Add((long)copy!["count"]!);
        });
        var hub = new DeclaredRoomsHub(connection);
        await hub.JoinAsync(room);
        await hub.PinAsync(room, "a", Hello);
        await hub.PinAsync(room, "a", Hello with { Text = "again" });
        Expect.Equal([1, 2], await counts.Take(2));
        Expect.Equal("again", (string?)copy?["notes"]?["a"]?["text"]);
    }

    /// <summary>A patch adds members at the end: they are compared in the order of the schema.</summary>
    private static string Sorted(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<State>(json)!);

    private sealed record State
    {
        [System.Text.Json.Serialization.JsonPropertyName("notes")]
        public required SortedDictionary<string, Note> Notes { get; init; }

        [System.Text.Json.Serialization.JsonPropertyName("count")]
        public required long Count { get; init; }
    }
}
