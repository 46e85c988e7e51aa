using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dormouse.Tests.Cases;

public static class Calls
{
    [Case("give back what was given: texts, numbers, lists, nothing")]
    public static async Task Values(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        foreach (var text in new[] { "", "naïve 🐁", "\u001e inside", new string('x', 20_000) })
            Expect.Equal(text, await connection.InvokeAsync<string>("Echo", text));
        foreach (var number in new[] { 0, -1, 127, 128, 65_536, int.MaxValue, int.MinValue })
            Expect.Equal(number, await connection.InvokeAsync<int>("Echo", number));
        foreach (var number in new[] { 0.5, -1e300, 1.0 })
            Expect.Equal(number, await connection.InvokeAsync<double>("Echo", number));
        Expect.Equal<int[]>([1, 2, 3], await connection.InvokeAsync<int[]>("Echo", new[] { 1, 2, 3 }));
        Expect.Equal(true, await connection.InvokeAsync<bool>("Echo", true));
        Expect.Equal(null, await connection.InvokeAsync<string?>("Echo", (string?)null));
    }

    [Case("give back bytes as bytes")]
    public static async Task Bytes(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        byte[] bytes = [0, 1, 2, 128, 255];
        Expect.Equal(bytes, await connection.InvokeAsync<byte[]>("Echo", bytes));
    }

    [Case("give back objects, under the names they came with")]
    public static async Task Objects(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        var notice = new Notice { Title = "Dinner", Body = "is ready" };
        Expect.Equal(notice, await connection.InvokeAsync<Notice>("Echo", notice));
    }

    [Case("are answered each by its own, many at once")]
    public static async Task Many(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        var answers = Enumerable.Range(0, 40).Select(n => connection.InvokeAsync<int>("Echo", n));
        Expect.Equal(Enumerable.Range(0, 40), await Task.WhenAll(answers));
    }

    [Case("find a method whatever the case of its name")]
    public static async Task AnyCase(Lab lab)
    {
        var connection = await lab.Connect("signalr");
        foreach (var name in new[] { "echo", "Echo", "ECHO" })
            Expect.Equal(name, await connection.InvokeAsync<string>(name, name));
    }

    [Case("of a method that does not exist fail in SignalR's words")]
    public static Task Unknown(Lab lab) => Fails(
        lab, "Nothing", [], "Failed to invoke 'Nothing' due to an error on the server. HubException: Method does not exist.");

    [Case("with too few arguments fail in SignalR's words")]
    public static Task TooFew(Lab lab) => Fails(
        lab, "Say", ["room"], "Failed to invoke 'Say' due to an error on the server.");

    [Case("that the hub refuses say why")]
    public static Task Refused(Lab lab) => Fails(
        lab, "Fail", ["short and stout"], "An unexpected error occurred invoking 'Fail' on the server. HubException: short and stout");

    [Case("that break say nothing of how")]
    public static Task Broken(Lab lab) => Fails(
        lab, "Crash", [], "An unexpected error occurred invoking 'Crash' on the server.");

    [Case("of a stream as of a method fail in SignalR's words")]
    public static Task NotStreaming(Lab lab) => Fails(
        lab, "Counter", [3, 0], "The client attempted to invoke the streaming 'Counter' method with a non-streaming invocation.");

    private static async Task Fails(Lab lab, string method, object?[] arguments, string text)
    {
        var connection = await lab.Connect("signalr");
        var error = await Expect.Throws<HubException>(() => connection.InvokeCoreAsync(method, arguments));
        Expect.Equal(text, error.Message);
        Expect.Equal("still here", await connection.InvokeAsync<string>("Echo", "still here"));
    }
}
