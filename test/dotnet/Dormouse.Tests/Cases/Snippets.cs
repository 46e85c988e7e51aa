// The snippets of test/mission in C#, as they are.

using System.Threading.Channels;
using Dormouse.Mission;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Snippets
{
    // In MessagePack a record has its members' own names, and a timestamp.
    [Case("mission: a notification is passed on as it was sent, and prices stream", Wire.Json)]
    public static async Task Notifications(Lab lab)
    {
        var (user, seen) = (Lab.Name("user"), Channel.CreateUnbounded<string>());
        var client = new NotificationClient(
            lab.Build(new Door("notifications") { User = user }), text => seen.Writer.TryWrite(text));
        await client.Start(Guid.NewGuid());
        await client.Alert(user, new DateTime(2026, 11, 29, 15, 35, 28, DateTimeKind.Utc));
        var alert = await Expect.Soon(seen.Reader.ReadAsync().AsTask(), "the alert");
        Expect.Equal("[Warning] Alert: Server load high (15:35:28)", alert);
        Expect.Equal(2, await Expect.Soon(client.Prices(2), "prices"));
    }

    [Case("mission: a Guid's capitals and a number are orders, too")]
    public static async Task Orders(Lab lab)
    {
        var connection = await lab.Connect("notifications");
        await connection.InvokeAsync("JoinOrderGroup", $"{Guid.NewGuid()}".ToUpperInvariant());
        await connection.InvokeAsync("JoinOrderGroup", 42);
        await connection.InvokeAsync("LeaveOrderGroup", 42);
    }

    [Case("mission: a room is told at once who comes, on each device, and who stops")]
    public static async Task Chat(Lab lab)
    {
        var (ada, bob, room) = (Lab.Name("ada"), Lab.Name("bob"), Lab.Name("room"));
        var seen = Channel.CreateUnbounded<string>();
        await new ChatClient(lab.Build(new Door("chat") { User = ada }), text => seen.Writer.TryWrite(text)).Start(room);
        await Until($"{ada}: Hello!");
        var devices = new[] { lab.Build(new Door("chat") { User = bob }), lab.Build(new Door("chat") { User = bob }) };
        foreach (var device in devices)
        {
            await new ChatClient(device, _ => { }).Start(room);
            await Until($"{bob} joined");
            await Until($"{bob}: Hello!");
        }
        foreach (var device in devices)
        {
            await device.InvokeAsync("LeaveRoom", room);
            await Until($"{bob} left");
        }

        async Task Until(string text)
        {
            while (await Expect.Soon(seen.Reader.ReadAsync().AsTask(), text) != text) { }
        }
    }
}
