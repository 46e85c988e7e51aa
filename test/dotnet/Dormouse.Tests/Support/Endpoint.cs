// The endpoint under test, from the environment, and tokens for it.

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dormouse.Tests;

public static class Endpoint
{
    public static readonly Wire[] Wires = [Wire.Json, Wire.MessagePack];

    public static Uri Url { get; } = new(Variable("DORMOUSE_URL"));

    /// <summary>Whether it is ASP.NET Core itself.</summary>
    public static bool IsReference { get; } = Environment.GetEnvironmentVariable("DORMOUSE_REFERENCE") == "1";

    public static bool Speaks(Wire wire) =>
#if WHOLE
        true;
#else
        wire == Wire.Json;
#endif

    /// <summary>A JWT, HS256, for an hour.</summary>
    public static string Token(string user, params string[] roles)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>
        {
            ["sub"] = user,
            ["iss"] = Variable("JWT_ISSUER"),
            ["aud"] = Variable("JWT_AUDIENCE"),
            ["iat"] = now,
            ["exp"] = now + 3_600,
            ["roles"] = roles,
        };
        var signed = $"{Part(new { alg = "HS256", typ = "JWT" })}.{Part(claims)}";
        var key = Encoding.UTF8.GetBytes(Variable("JWT_SECRET"));
        var signature = HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"{name} is not set: run `npm run test:dotnet`.");
}
