// What the hubs take and give, as a .NET application would declare it. The names are for MessagePack, whose maps know
// no camel case; JSON's are camel case by themselves.

using System.Runtime.Serialization;
using System.Text.Json.Serialization;

namespace Dormouse.Tests;

[DataContract]
public sealed class Notification
{
    [DataMember(Name = "title")] public string Title { get; set; } = "";
    [DataMember(Name = "body")] public string Body { get; set; } = "";
    [DataMember(Name = "severity")] public string Severity { get; set; } = "";
    /// <summary>ISO 8601.</summary>
    [DataMember(Name = "timestamp")] public string Timestamp { get; set; } = "";
}

/// <summary>A notification as it is asked for.</summary>
[DataContract]
public sealed class Notice
{
    [DataMember(Name = "title")] public string Title { get; set; } = "";
    [DataMember(Name = "body")] public string Body { get; set; } = "";
    [DataMember(Name = "severity")] public string Severity { get; set; } = "info";
}

[DataContract]
public sealed class Price
{
    [DataMember(Name = "symbol")] public string Symbol { get; set; } = "";
    [DataMember(Name = "price"), JsonPropertyName("price")] public double Value { get; set; }
    [DataMember(Name = "timestamp")] public string Timestamp { get; set; } = "";
}

/// <summary>The time as .NET has it: text in JSON, a timestamp in MessagePack.</summary>
[DataContract]
public sealed class Reading
{
    [DataMember(Name = "sensor")] public string Sensor { get; set; } = "";
    [DataMember(Name = "value")] public double Value { get; set; }
    [DataMember(Name = "timestamp")] public DateTime Timestamp { get; set; } = DateTime.UtcNow;
}

[DataContract]
public sealed class Summary
{
    [DataMember(Name = "count")] public int Count { get; set; }
    [DataMember(Name = "sensors")] public string[] Sensors { get; set; } = [];
    [DataMember(Name = "min")] public double? Min { get; set; }
    [DataMember(Name = "max")] public double? Max { get; set; }
    [DataMember(Name = "mean")] public double? Mean { get; set; }
}

[DataContract]
public sealed class Identity
{
    [DataMember(Name = "userId")] public string UserId { get; set; } = "";
    [DataMember(Name = "connectionId")] public string ConnectionId { get; set; } = "";
}
