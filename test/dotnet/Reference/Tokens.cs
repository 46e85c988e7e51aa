// Who is who: a JWT, HS256, of the secret in the environment. Nothing else of it is checked: tests mean well.

using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Dormouse.Reference;

public sealed class Tokens(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    private static readonly byte[] Key = Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable("JWT_SECRET")!);

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        var parts = (header.StartsWith("Bearer ") ? header[7..] : Request.Query["access_token"].ToString()).Split('.');
        if (parts.Length != 3) return Task.FromResult(AuthenticateResult.NoResult());
        var signature = HMACSHA256.HashData(Key, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));
        if (Base64Url.EncodeToString(signature) != parts[2]) return Task.FromResult(AuthenticateResult.Fail("signature"));
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
        var identity = new ClaimsIdentity("jwt");
        identity.AddClaim(new(ClaimTypes.NameIdentifier, claims.RootElement.GetProperty("sub").GetString()!));
        foreach (var role in claims.RootElement.GetProperty("roles").EnumerateArray())
            identity.AddClaim(new(ClaimTypes.Role, role.GetString()!));
        return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(identity), "jwt")));
    }
}
