using System.Collections;
using System.Text.Json;
using Dormouse.Tests;

namespace Dormouse.Reference;

internal static class Notifications
{
    /// <summary>A text is a body; everything else is a notice, in whichever form its protocol gave it.</summary>
    public static Notification Of(object notice) => notice switch
    {
        JsonElement { ValueKind: JsonValueKind.String } text => Of(text.GetString()!),
        JsonElement element => Of(name => element.TryGetProperty(name, out var part) ? part.GetString() : null),
        string body => new() { Title = "Notification", Body = body, Severity = "info", Timestamp = Now },
        // The members' own names in MessagePack.
        IDictionary map => Of(name => (string?)map[$"{char.ToUpperInvariant(name[0])}{name[1..]}"]),
        _ => throw new ArgumentException("A notice is a text or a map."),
    };

    private static Notification Of(Func<string, string?> part) =>
        new() { Title = part("title")!, Body = part("body")!, Severity = part("severity")!, Timestamp = part("timestamp") ?? Now };

    private static string Now => $"{DateTime.UtcNow:O}";
}
