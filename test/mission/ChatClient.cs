// Chat in C#: a room, and those who come and go.

using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Mission;

public sealed class ChatClient(HubConnection connection, Action<string> seen)
{
    public async Task Start(string room)
    {
        connection.On<string, string>("UserJoined", (user, _) => seen($"{user} joined"));
        connection.On<string, string>("UserLeft", (user, _) => seen($"{user} left"));
        connection.On<string, string>("ReceiveMessage", (user, message) => seen($"{user}: {message}"));

        await connection.StartAsync();
        await connection.InvokeAsync("JoinRoom", room);
        await connection.InvokeAsync("SendToRoom", room, "Hello!");
    }
}
