// What ASP.NET Core makes of a token: JwtBearer's handler with its defaults, and SignalR's user id.

using System.Security.Claims;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dormouse.TokenHandlers;

public sealed record NamedToken(string Name, string Token);

public sealed record Request(string Secret, string Issuer, string Audience, NamedToken[] Tokens);

/// <summary>Id and roles are as a hub sees them: Context.UserIdentifier, and the roles of [Authorize(Roles = …)].</summary>
public sealed record Verdict(string Name, string Token, bool Valid, string? Id, string[] Roles, string? Error);

public sealed class Judge(Request request)
{
    /// <summary>JwtBearerOptions makes its handler with MapInboundClaims set.</summary>
    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = true };

    private readonly TokenValidationParameters parameters = new()
    {
        ValidIssuer = request.Issuer,
        ValidAudience = request.Audience,
        IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(request.Secret)),
    };

    public async Task<Verdict> Judged(string name, string token)
    {
        var result = await handler.ValidateTokenAsync(token, parameters);
        if (!result.IsValid) return new(name, token, false, null, [], result.Exception?.Message.Split('\n')[0]);
        var user = result.ClaimsIdentity;
        var roles = user.FindAll(ClaimTypes.Role).Select(claim => claim.Value).ToArray();
        return new(name, token, true, user.FindFirst(ClaimTypes.NameIdentifier)?.Value, roles, null);
    }
}
