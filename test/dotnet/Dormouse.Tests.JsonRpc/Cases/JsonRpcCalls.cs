// The calculator of the mission, called by StreamJsonRpc as its documentation shows.

using Dormouse.Mission;
using StreamJsonRpc;

namespace Dormouse.Tests.Cases;

public static class JsonRpcCalls
{
    private static Task<JsonRpc> Connect() =>
        CalculatorClient.Connect(Endpoint.Url, Endpoint.Token(Lab.Name("user")));

    [Case("mission: Add(2, 3) is 5, by a typed proxy and by name", Wire.Json)]
    public static async Task Add(Lab lab)
    {
        using var rpc = await Connect();
        Expect.Equal(5.0, await rpc.Attach<ICalculator>().Add(2, 3).WaitAsync(Expect.Patience));
        Expect.Equal(5.0, await rpc.InvokeAsync<double>("Add", 2, 3).WaitAsync(Expect.Patience));
        Expect.Equal(5.0, await rpc.InvokeAsync<double>("add", 2, 3).WaitAsync(Expect.Patience));
    }

    [Case("mission: DivideAsync throws what the server threw, and the connection goes on", Wire.Json)]
    public static async Task Divide(Lab lab)
    {
        using var rpc = await Connect();
        var calculator = rpc.Attach<ICalculator>();
        var error = await Expect.Throws<RemoteInvocationException>(() => calculator.DivideAsync(1, 0));
        Expect.Equal("Cannot divide by zero.", error.Message);
        Expect.Equal(0.5, await calculator.DivideAsync(1, 2).WaitAsync(Expect.Patience));
    }

    [Case("a method is found without Async, and arguments by their names", Wire.Json)]
    public static async Task Names(Lab lab)
    {
        using var rpc = await Connect();
        Expect.Equal(2.0, await rpc.InvokeAsync<double>("Divide", 4, 2).WaitAsync(Expect.Patience));
        foreach (var name in new[] { "divide", "DivideAsync" })
            Expect.Equal(2.0, await rpc.InvokeWithParameterObjectAsync<double>(name, new { b = 2, a = 4 }).WaitAsync(Expect.Patience));
        var error = await Expect.Throws<RemoteRpcException>(() => rpc.InvokeWithParameterObjectAsync<double>("add", new { a = 4, c = 2 }));
        Expect.Equal("There is no argument c; expected: a, b.", error.Message);
        await Expect.Throws<RemoteMethodNotFoundException>(() => rpc.InvokeAsync<double>("Subtract", 4, 2));
    }

    [Case("a long that no double holds is refused by name, and the connection goes on", Wire.Json)]
    public static async Task Large(Lab lab)
    {
        using var rpc = await Connect();
        var error = await Expect.Throws<RemoteRpcException>(() => rpc.InvokeAsync<double>("Add", 9_007_199_254_740_993L, 1));
        Expect.True(error.Message.StartsWith("Argument 1"), $"the argument is named: {error.Message}");
        Expect.Equal(3.0, await rpc.InvokeAsync<double>("Add", 1, 2).WaitAsync(Expect.Patience));
    }
}
