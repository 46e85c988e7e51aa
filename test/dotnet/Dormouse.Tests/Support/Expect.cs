// What a case claims. Values are compared as JSON: whole, and whatever their types are.

using System.Text.Json;

namespace Dormouse.Tests;

public sealed class UnexpectedException(string message) : Exception(message);

public static class Expect
{
    /// <summary>How long anything may take before the case is told what it waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static void Equal<T>(T expected, T found)
    {
        var (one, other) = (JsonSerializer.Serialize(expected), JsonSerializer.Serialize(found));
        if (one != other) throw new UnexpectedException($"expected {one}\nfound    {other}");
    }

    public static void True(bool holds, string what)
    {
        if (!holds) throw new UnexpectedException($"does not hold: {what}");
    }

    /// <summary>The exception of something that must fail in this way.</summary>
    public static async Task<E> Throws<E>(Func<Task> act)
        where E : Exception
    {
        try
        {
            await act().WaitAsync(Patience);
        }
        catch (E error)
        {
            return error;
        }
        catch (Exception error)
        {
            throw new UnexpectedException($"expected {typeof(E).Name}\nfound    {error}");
        }
        throw new UnexpectedException($"expected {typeof(E).Name}, and nothing was thrown");
    }

    public static async Task<T> Soon<T>(Task<T> task, string what)
    {
        try
        {
            return await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new UnexpectedException($"waited for {what} in vain");
        }
    }
}
