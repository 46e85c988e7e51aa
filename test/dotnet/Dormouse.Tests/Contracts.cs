// What the hubs take and give, as a .NET application would declare it: keys are camel case in JSON and the members' own
// names in MessagePack, as each protocol has them by itself.

using System.Runtime.Serialization;
using System.Text.Json.Serialization;

namespace Dormouse.Tests;

public sealed class Notification
{
    public string Title { get; set; } = "";
    public string Body { get; set; } = "";
    public string Severity { get; set; } = "";
    /// <summary>ISO 8601.</summary>
    public string Timestamp { get; set; } = "";
}

/// <summary>A notification as it is asked for.</summary>
public sealed class Notice
{
    public string Title { get; set; } = "";
    public string Body { get; set; } = "";
    public string Severity { get; set; } = "info";
}

[DataContract]
public sealed class Price
{
    [DataMember] public string Symbol { get; set; } = "";
    [DataMember(Name = "Price"), JsonPropertyName("price")] public double Value { get; set; }
    [DataMember] public string Timestamp { get; set; } = "";
}

/// <summary>The time as .NET has it: text in JSON, a timestamp in MessagePack.</summary>
public sealed class Reading
{
    public string Sensor { get; set; } = "";
    public double Value { get; set; }
    public DateTime Timestamp { get; set; } = DateTime.UtcNow;
}

public sealed class Summary
{
    public int Count { get; set; }
    public string[] Sensors { get; set; } = [];
    public double? Min { get; set; }
    public double? Max { get; set; }
    public double? Mean { get; set; }
}

public sealed class Identity
{
    public string UserId { get; set; } = "";
    public string ConnectionId { get; set; } = "";
}

public enum Colour
{
    Red,
    Green,
}

public sealed class Sample
{
    public string Title { get; set; } = "";
    public int Count { get; set; }
    public DateTime At { get; set; }
    public Inner Inner { get; set; } = new();

    public static Sample Of(string? note) => new()
    {
        Title = "a",
        Count = 1,
        At = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        Inner = new() { Tags = ["x", "y"], IsOpen = true, Note = note },
    };
}

public sealed class Inner
{
    public string[] Tags { get; set; } = [];
    public bool IsOpen { get; set; }
    public string? Note { get; set; }
}
