// Tokens as .NET applications issue them: both handlers, and the usual ways to name a user and roles.

using System.IdentityModel.Tokens.Jwt;
using System.Security.Claims;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using ShortNames = Microsoft.IdentityModel.JsonWebTokens.JwtRegisteredClaimNames;

namespace Dormouse.TokenHandlers;

public static class Maker
{
    private static readonly Claim[] Long =
    [
        new(ClaimTypes.NameIdentifier, "alice"),
        new(ClaimTypes.Name, "Alice"),
        new(ClaimTypes.Email, "alice@example.com"),
        new(ClaimTypes.Role, "Admin"),
        new(ClaimTypes.Role, "Manager"),
    ];

    private static readonly Claim[] Short =
    [
        new(ShortNames.Sub, "alice"),
        new(ShortNames.Jti, Guid.NewGuid().ToString()),
        new(ShortNames.UniqueName, "Alice"),
        new(ShortNames.Email, "alice@example.com"),
        new("role", "Admin"),
    ];

    private static readonly Claim[] Mixed = [new(ShortNames.Sub, "alice"), new(ClaimTypes.Role, "Admin")];

    /// <summary>Tutorials write iat as text, with and without the type of its value.</summary>
    private static readonly Claim[] Times =
    [
        new(ShortNames.Sub, "alice"),
        new(ShortNames.Iat, DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString()),
    ];

    private static readonly Claim[] TypedTimes =
    [
        new(ShortNames.Sub, "alice"),
        new(ShortNames.Iat, DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(), ClaimValueTypes.Integer64),
    ];

    private static readonly Claim[] Numbered =
        [new(ClaimTypes.NameIdentifier, "42", ClaimValueTypes.Integer32), new(ClaimTypes.Role, "Admin")];

    private static readonly Claim[] Unnamed = [new(ClaimTypes.Role, "Admin")];

    public static IEnumerable<(string Name, string Token)> Tokens(Request request) =>
        from set in new (string Name, Claim[] Claims)[]
        {
            ("long names", Long), ("short names", Short), ("sub and the long role", Mixed), ("iat as text", Times),
            ("iat as a number", TypedTimes), ("a number as id", Numbered), ("no id", Unnamed),
        }
        from way in new (string Name, Func<Request, Claim[], string> Write)[]
        {
            ("new JwtSecurityToken(claims)", Constructed),
            ("JwtSecurityTokenHandler.CreateToken", OldHandler),
            ("JsonWebTokenHandler.CreateToken", NewHandler),
            ("JsonWebTokenHandler.CreateToken of a dictionary", Dictionary),
        }
        select ($"{way.Name}, {set.Name}", way.Write(request, set.Claims));

    private static string Constructed(Request request, Claim[] claims) =>
        new JwtSecurityTokenHandler().WriteToken(new JwtSecurityToken(
            issuer: request.Issuer,
            audience: request.Audience,
            claims: claims,
            expires: DateTime.UtcNow.AddMinutes(30),
            signingCredentials: Credentials(request)));

    private static string OldHandler(Request request, Claim[] claims)
    {
        var handler = new JwtSecurityTokenHandler();
        return handler.WriteToken(handler.CreateToken(Descriptor(request, claims)));
    }

    private static string NewHandler(Request request, Claim[] claims) =>
        new JsonWebTokenHandler().CreateToken(Descriptor(request, claims));

    private static string Dictionary(Request request, Claim[] claims)
    {
        var descriptor = Descriptor(request, []);
        descriptor.Claims = claims.GroupBy(claim => claim.Type).ToDictionary(
            group => group.Key,
            group => group.Count() == 1 ? group.First().Value : (object)group.Select(claim => claim.Value).ToArray());
        return new JsonWebTokenHandler().CreateToken(descriptor);
    }

    private static SecurityTokenDescriptor Descriptor(Request request, Claim[] claims) => new()
    {
        Issuer = request.Issuer,
        Audience = request.Audience,
        Subject = new(claims),
        Expires = DateTime.UtcNow.AddMinutes(30),
        SigningCredentials = Credentials(request),
    };

    private static SigningCredentials Credentials(Request request) =>
        new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(request.Secret)), SecurityAlgorithms.HmacSha256);
}
