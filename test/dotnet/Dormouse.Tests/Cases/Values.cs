// A table: each type of .NET, there and back, as a result and as a call of the server. Every row claims what ASP.NET Core
// does; one that our endpoint answers otherwise says how and why, and docs/signalr.md says it too.

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Values
{
    /// <summary>One value. Null for an outcome: the value itself comes back.</summary>
    private sealed record Row(string Title, Func<HubConnection, Task<string>> Ask, string Same)
    {
        public string? Json { get; init; }
        public string? MessagePack { get; init; }
        public Design? OursInJson { get; init; }
        public Design? OursInMessagePack { get; init; }

        public string Of(Wire wire) => (wire == Wire.Json ? Json : MessagePack) ?? Same;
        public Design? OursOf(Wire wire) => wire == Wire.Json ? OursInJson : OursInMessagePack;
    }

    /// <summary>Another outcome of ours, by documented design.</summary>
    private sealed record Design(string Outcome, string Reason);

    private const string Refused = "refused";

    private static readonly JsonSerializerOptions Shown = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        IncludeFields = true,
    };

    private static string Show<T>(T value) => JsonSerializer.Serialize(value, Shown);

    private static Row Of<T>(string title, string method, T value) =>
        new(title, connection => Outcome<T>(connection, method, value), Show(value));

    private static async Task<string> Outcome<T>(HubConnection connection, string method, params object?[] values)
    {
        var shown = new TaskCompletionSource<T>();
        using var handler = connection.On<T>("Shown", value => shown.TrySetResult(value));
        try
        {
            var result = Show(await connection.InvokeCoreAsync<T>(method, values).WaitAsync(Expect.Patience));
            if (method == "Optional") return result;
            var call = Show(await shown.Task.WaitAsync(TimeSpan.FromSeconds(2)));
            return call == result ? result : $"{result}, and {call} in a call of the server";
        }
        catch (Exception error) when (error is not TimeoutException)
        {
            return connection.State == HubConnectionState.Connected ? Refused : "the connection ended";
        }
        catch (TimeoutException)
        {
            return "nothing came";
        }
    }

    private static readonly Design Digits = new(Refused, "digits would be lost");
    private static readonly Design Zero = new("0", "JSON.stringify writes no sign of zero");
    private static readonly Design NotJson = new(Refused, "a call of clients is written once for all protocols, and JSON has no such number; results have it");
    private static readonly Design Prototype = new(Refused, "the key __proto__ is accepted nowhere");
    private static readonly Design LeftOut = new("\"hello bob\"", "an argument whose schema is optional may be left out, or null");

    private static readonly Row[] Rows =
    [
        Of("text", "Text", "naïve 🐁"),
        Of("no text", "Text", (string?)null),
        Of("DateTime, UTC", "DateTime", new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc)),
        Of("DateTime, UTC, 100 ns", "DateTime", new DateTime(639_000_000_001_234_567, DateTimeKind.Utc)),
        Of("DateTime, of no kind", "DateTime", new DateTime(2026, 1, 2, 3, 4, 5, 120)) with
        {
            MessagePack = "\"2026-01-02T03:04:05.12Z\"",
            OursInJson = new("\"2026-01-02T03:04:05.12Z\"", "a Date is a point in time, taken for UTC; z.string() keeps the text"),
        },
        Of("DateTime.MaxValue", "DateTime", DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)),
        Of("DateTime.MinValue", "DateTime", DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)),
        Of("DateTimeOffset", "DateTimeOffset", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2))),
        Of("DateOnly", "DateOnly", new DateOnly(2026, 1, 2)),
        Of("TimeSpan", "TimeSpan", new TimeSpan(1, 2, 3, 4, 5)),
        Of("TimeSpan.MaxValue", "TimeSpan", TimeSpan.MaxValue),
        Of("Guid", "Guid", Guid.Parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff")),
        Of("decimal", "Decimal", 12.34m) with
        {
            OursInMessagePack = new(Refused, "JavaScript has no decimal: a number of hub code is a double, which .NET's decimal does not read"),
        },
        Of("decimal of 29 digits", "Decimal", decimal.MaxValue) with { OursInJson = Digits, OursInMessagePack = Digits },
        Of("long", "Int64", 42L),
        Of("long beyond 2^53", "Int64", 9_007_199_254_740_993L),
        Of("long.MaxValue", "Int64", long.MaxValue),
        Of("long.MinValue", "Int64", long.MinValue),
        Of("ulong.MaxValue", "Uint64", ulong.MaxValue),
        Of("int", "Int32", int.MinValue),
        Of("double", "Double", 0.1),
        Of("double.MaxValue", "Double", double.MaxValue),
        Of("double, a whole number beyond 2^53", "Double", 1e17),
        Of("double, zero below zero", "Double", -0.0) with { OursInJson = Zero, OursInMessagePack = Zero },
        Of("NaN", "Double", double.NaN) with { Json = Refused, OursInMessagePack = NotJson },
        Of("infinity", "Double", double.PositiveInfinity) with { Json = Refused, OursInMessagePack = NotJson },
        Of("bool", "Boolean", true),
        Of("enum", "Colour", Colour.Green),
        Of("bytes", "Bytes", new byte[] { 0, 1, 128, 255 }),
        Of("no bytes", "Bytes", Array.Empty<byte>()),
        Of("list", "Texts", new[] { "a", "", "ä" }),
        Of("dictionary with texts as keys", "ByText", new Dictionary<string, int> { ["alice"] = 1, ["user-2"] = 2 }),
        Of("dictionary with numbers as keys", "ByNumber", new Dictionary<int, string> { [1] = "a", [-5] = "b" }),
        Of("tuple", "Pair", (7, "a")) with
        {
            Json = Show((0, (string?)null)),
            OursInJson = new(Refused, "System.Text.Json writes a ValueTuple as {}: there its values are lost without a word"),
        },
        Of("records, nested", "Sample", Sample.Of(null)),
        Of("records, nested, with all members", "Sample", Sample.Of("a note")),
        Of("object: text", "Anything", "a"),
        Of("object: number", "Anything", 1.5),
        Of("object: bytes in MessagePack", "Anything", new byte[] { 1 }),
        Of("object: long beyond 2^53", "Anything", long.MaxValue),
        Of("object: DateTime", "Anything", new DateTime(639_000_000_001_234_567, DateTimeKind.Utc)),
        Of("object: null", "Anything", (string?)null),
        Of("object: dictionary", "Anything", new Dictionary<string, int> { ["alice"] = 1 }),
        Of("object: dictionary with numbers as keys", "Anything", new Dictionary<int, int> { [1] = 1 }),
        new("a text for a number", c => Outcome<int>(c, "Int32", "1"), Refused)
        {
            OursInMessagePack = new("1", "a decimal is a text in MessagePack, and a schema of numbers takes it"),
        },
        new("a number for a text", c => Outcome<string>(c, "Text", 1), Refused),
        new("half a number for an int", c => Outcome<int>(c, "Int32", 1.5), Refused),
        new("too large a number for an int", c => Outcome<int>(c, "Int32", long.MaxValue), Refused),
        new("too large a number for a long", c => Outcome<long>(c, "Int64", ulong.MaxValue), Refused),
        new("null for a number", c => Outcome<int>(c, "Int32", (object?)null), Refused),
        new("a long beyond 2^53 for a double", c => Outcome<double>(c, "Double", 9_007_199_254_740_993L), "9007199254740992")
        {
            OursInJson = Digits,
            OursInMessagePack = Digits,
        },
        new("a key __proto__", c => Outcome<Dictionary<string, int>>(c, "ByText", new Dictionary<string, int> { ["__proto__"] = 1 }), "{\"__proto__\":1}")
        {
            OursInJson = Prototype,
            OursInMessagePack = Prototype,
        },
        new("an optional argument", c => Outcome<string>(c, "Optional", "bob", "hi"), Show("hi bob")),
        new("an optional argument that is null", c => Outcome<string>(c, "Optional", "bob", null), Show(" bob"))
        {
            OursInJson = LeftOut,
            OursInMessagePack = LeftOut,
        },
        new("an optional argument that is left out", c => Outcome<string>(c, "Optional", "bob"), Refused)
        {
            OursInJson = LeftOut,
            OursInMessagePack = LeftOut,
        },
    ];

    [Case("of every type are those of ASP.NET Core, but for differences that docs/signalr.md names")]
    public static async Task Table(Lab lab)
    {
        var connection = await lab.Connect("values");
        var (equal, designed, differing) = (0, 0, new List<string>());
        foreach (var row in Rows)
        {
            if (connection.State != HubConnectionState.Connected) connection = await lab.Connect("values");
            var found = await row.Ask(connection);
            var ours = Endpoint.IsReference ? null : row.OursOf(lab.Wire);
            if (found == (ours?.Outcome ?? row.Of(lab.Wire)))
            {
                if (ours is null) equal++;
                else designed++;
                if (ours is not null) Console.WriteLine($"     {row.Title}: {found}, not {row.Of(lab.Wire)}: {ours.Reason}");
            }
            else
            {
                differing.Add($"{row.Title}: expected {ours?.Outcome ?? row.Of(lab.Wire)}, found {found}");
            }
        }
        Console.WriteLine($"     .NET values in {lab.Wire}: equal {equal}, differs by documented design {designed}, differs {differing.Count}");
        if (differing.Count > 0) throw new UnexpectedException(string.Join("\n", differing));
    }
}
