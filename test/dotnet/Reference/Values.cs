// test/support/value-hub.ts as an ASP.NET Core application would write it.

using Dormouse.Tests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;

namespace Dormouse.Reference;

[Authorize]
public sealed class ValueHub : Hub
{
    private async Task<T> Back<T>(T value)
    {
        await Clients.Caller.SendAsync("Shown", value);
        return value;
    }

    public Task<object?> Anything(object? value) => Back(value);
    public Task<string?> Text(string? value) => Back(value);
    public Task<DateTime> DateTime(DateTime value) => Back(value);
    public Task<DateTimeOffset> DateTimeOffset(DateTimeOffset value) => Back(value);
    public Task<DateOnly> DateOnly(DateOnly value) => Back(value);
    public Task<TimeSpan> TimeSpan(TimeSpan value) => Back(value);
    public Task<Guid> Guid(Guid value) => Back(value);
    public Task<decimal> Decimal(decimal value) => Back(value);
    public Task<long> Int64(long value) => Back(value);
    public Task<ulong> Uint64(ulong value) => Back(value);
    public Task<int> Int32(int value) => Back(value);
    public Task<double> Double(double value) => Back(value);
    public Task<bool> Boolean(bool value) => Back(value);
    public Task<Colour> Colour(Colour value) => Back(value);
    public Task<byte[]> Bytes(byte[] value) => Back(value);
    public Task<string[]> Texts(string[] value) => Back(value);
    public Task<Dictionary<string, int>> ByText(Dictionary<string, int> value) => Back(value);
    public Task<Dictionary<int, string>> ByNumber(Dictionary<int, string> value) => Back(value);
    public Task<(int, string)> Pair((int, string) value) => Back(value);
    public Task<Sample> Sample(Sample value) => Back(value);
    public string Optional(string name, string greeting = "hello") => $"{greeting} {name}";
}
