using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Questions
{
    [Case("of the hub are answered by the client")]
    public static async Task Answered(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        connection.On<string, bool>("Confirm", question => question == "sure?");
        Expect.Equal(true, await connection.InvokeAsync<bool>("Ask", "sure?"));
        Expect.Equal(false, await connection.InvokeAsync<bool>("Ask", "really?"));
    }

    [Case("are answered late, while the client calls on")]
    public static async Task Late(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        connection.On<string, bool>("Confirm", async _ =>
        {
            await Task.Delay(100);
            return true;
        });
        var asked = connection.InvokeAsync<bool>("Ask", "sure?");
        Expect.Equal("meanwhile", await connection.InvokeAsync<string>("Echo", "meanwhile"));
        Expect.Equal(true, await Expect.Soon(asked, "the answer"));
    }

    [Case("that the client refuses fail the call")]
    public static async Task Refused(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        connection.On<string, bool>("Confirm", bool (_) => throw new InvalidOperationException("not now"));
        await Fails(connection);
    }

    [Case("that nobody hears fail the call")]
    public static async Task Unheard(Lab lab) => await Fails(await lab.Connect("signalr"));

    private static async Task Fails(HubConnection connection)
    {
        var error = await Expect.Throws<HubException>(() => connection.InvokeAsync<bool>("Ask", "sure?"));
        Expect.True(error.Message.StartsWith("An unexpected error occurred invoking 'Ask' on the server."), error.Message);
        Expect.Equal("still here", await connection.InvokeAsync<string>("Echo", "still here"));
    }
}
