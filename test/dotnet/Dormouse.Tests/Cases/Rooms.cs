using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Rooms
{
    [Case("chat: a message reaches who has joined, and no longer who has left")]
    public static async Task Chat(Lab lab)
    {
        var (ada, bob, room) = (Lab.Name("ada"), Lab.Name("bob"), Lab.Name("room"));
        var (one, other) = (await lab.Connect("chat", ada), await lab.Connect("chat", bob));
        var (atOne, atOther) = (one.HearTwo("ReceiveMessage"), other.HearTwo("ReceiveMessage"));
        await one.InvokeAsync("JoinRoom", room);
        await other.InvokeAsync("JoinRoom", room);
        await one.InvokeAsync("SendToRoom", room, "hello");
        Expect.Equal((ada, "hello").ToString(), (await atOne.Next()).ToString());
        Expect.Equal((ada, "hello").ToString(), (await atOther.Next()).ToString());
        await other.InvokeAsync("LeaveRoom", room);
        await one.InvokeAsync("SendToRoom", room, "alone");
        Expect.Equal("alone", (await atOne.Next()).Item2);
        await other.InvokeAsync("JoinRoom", room);
        await one.InvokeAsync("SendToRoom", room, "together");
        Expect.Equal("together", (await atOther.Next(call => call.Item2 != "hello")).Item2);
    }

    [Case("chat: who comes and who goes is said")]
    public static async Task Comings(Lab lab)
    {
        var (bob, room) = (Lab.Name("bob"), Lab.Name("room"));
        var (one, other) = (await lab.Connect("chat"), await lab.Connect("chat", bob));
        var (joined, left) = (one.HearTwo("UserJoined"), one.HearTwo("UserLeft"));
        await one.InvokeAsync("JoinRoom", room);
        await other.InvokeAsync("JoinRoom", room);
        Expect.Equal(room, (await joined.Next(call => call.Item1 == bob)).Item2);
        await other.InvokeAsync("LeaveRoom", room);
        Expect.Equal(room, (await left.Next(call => call.Item1 == bob)).Item2);
    }

    [Case("chat: everybody but the caller hears what the caller says to the others")]
    public static async Task Others(Lab lab)
    {
        var ada = Lab.Name("ada");
        var (one, other) = (await lab.Connect("chat", ada), await lab.Connect("chat"));
        var (atOne, atOther) = (one.HearTwo("ReceiveMessage"), other.HearTwo("ReceiveMessage"));
        await one.InvokeAsync("BroadcastExceptSelf", "psst");
        Expect.Equal("psst", (await atOther.Next(call => call.Item1 == ada)).Item2);
        var room = Lab.Name("room");
        await one.InvokeAsync("JoinRoom", room);
        await one.InvokeAsync("SendToRoom", room, "after");
        Expect.Equal("after", (await atOne.Next(call => call.Item1 == ada)).Item2);
    }

    [Case("a user is reached on every connection")]
    public static async Task ToUser(Lab lab)
    {
        var user = Lab.Name("user");
        var connections = new[] { await lab.Connect("signalr", user), await lab.Connect("signalr", user) };
        var heard = connections.Select(one => one.Hear<string>("Said")).ToArray();
        var sender = await lab.Connect("signalr");
        await sender.InvokeAsync("ToUser", user, "for you");
        foreach (var at in heard) Expect.Equal("for you", await at.Next());
    }

    [Case("messages of one sender come in order")]
    public static async Task Order(Lab lab)
    {
        var room = Lab.Name("room");
        var (one, other) = (await lab.Connect("signalr"), await lab.Connect("signalr"));
        var said = other.Hear<string>("Said");
        await other.InvokeAsync("Join", room);
        var sent = Enumerable.Range(1, 40).Select(n => $"{n}").ToList();
        foreach (var text in sent) await one.SendAsync("Say", room, text);
        Expect.Equal(sent, await said.Take(40));
    }

    [Case("orders: staff say how an order stands, to those who follow it")]
    public static async Task Orders(Lab lab)
    {
        var order = Lab.Name("order");
        var (customer, staff) = (await lab.Connect("orders"), await lab.Connect("orders", Lab.Name("boss"), "Admin"));
        var changed = customer.HearTwo("OrderStatusChanged");
        await customer.InvokeAsync("JoinOrderGroup", order);
        await staff.InvokeAsync("UpdateOrderStatus", order, "shipped");
        Expect.Equal((order, "shipped").ToString(), (await changed.Next()).ToString());
    }

    [Case("orders: nobody else may")]
    public static async Task Unauthorized(Lab lab)
    {
        var customer = await lab.Connect("orders", Lab.Name("customer"), "Customer");
        var error = await Expect.Throws<HubException>(
            () => customer.InvokeAsync("UpdateOrderStatus", "1", "shipped"));
        Expect.Equal("Failed to invoke 'UpdateOrderStatus' because user is unauthorized", error.Message);
    }

    [Case("notifications: a text and an object both become a notification")]
    public static async Task Notifications(Lab lab)
    {
        var (user, group) = (Lab.Name("user"), Lab.Name("group"));
        var connection = await lab.Connect("notifications", user);
        var received = connection.Hear<Notification>("ReceiveNotification");
        await connection.InvokeAsync("SendToUser", user, "is ready");
        await Notified("Notification", "info");
        await connection.InvokeAsync(
            "SendToUser", user, new Notice { Title = "Dinner", Body = "is ready", Severity = "success" });
        await Notified("Dinner", "success");

        async Task Notified(string title, string severity)
        {
            var notification = await received.Next();
            Expect.Equal((title, "is ready", severity).ToString(), (notification.Title, notification.Body, notification.Severity).ToString());
            Expect.True(DateTimeOffset.TryParse(notification.Timestamp, out _), "the time is ISO 8601");
        }
    }

    [Case("notifications: a group's are not for who is not in it")]
    public static async Task NotInGroup(Lab lab)
    {
        var user = Lab.Name("user");
        var connection = await lab.Connect("notifications", user);
        var received = connection.Hear<Notification>("ReceiveNotification");
        await connection.InvokeAsync("SendToGroup", Lab.Name("group"), "for members");
        await connection.InvokeAsync("SendToUser", user, "for you");
        Expect.Equal("for you", (await received.Next()).Body);
    }

    [Case("presence: who is online is told, and so is who is not any more")]
    public static async Task Presence(Lab lab)
    {
        var (ada, bob) = (Lab.Name("ada"), Lab.Name("bob"));
        var one = await lab.Connect("presence", ada);
        var updated = one.Hear<string[]>("OnlineUsersUpdated");
        var left = one.Hear<string>("UserLeft");
        var other = await lab.Connect("presence", bob);
        await updated.Next(users => users.Contains(bob));
        var online = await one.InvokeAsync<string[]>("GetOnlineUsers");
        Expect.True(online.Contains(ada) && online.Contains(bob), "both are online");
        await other.StopAsync();
        Expect.Equal(bob, await left.Next(user => user == bob));
    }

    [Case("admin: an alert needs a permission beside the role")]
    public static async Task Alert(Lab lab)
    {
        var staff = await lab.Connect("admin", Lab.Name("staff"), "Admin");
        var error = await Expect.Throws<HubException>(() => staff.InvokeAsync("BroadcastAlert", "fire"));
        Expect.Equal("Failed to invoke 'BroadcastAlert' because user is unauthorized", error.Message);
    }
}
