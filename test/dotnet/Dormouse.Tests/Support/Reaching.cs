// How the stock client finds its way to a door: by its own transports, or, where NuGet lacks those, by ours.

using Microsoft.AspNetCore.SignalR.Client;
#if WHOLE
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;
#else
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
#endif

namespace Dormouse.Tests;

public static class Reaching
{
#if WHOLE
    public static IHubConnectionBuilder Reach(this IHubConnectionBuilder builder, Door door, Wire wire)
    {
        builder.WithUrl(door.Url, options =>
        {
            options.AccessTokenProvider = door.Token;
            options.SkipNegotiation = !door.Negotiates;
            options.Transports = door.Transport;
        });
        if (door.Stateful) builder.WithStatefulReconnect();
        if (wire == Wire.MessagePack) builder.AddMessagePackProtocol();
        return builder;
    }
#else
    public static IHubConnectionBuilder Reach(this IHubConnectionBuilder builder, Door door, Wire wire)
    {
        builder.Services.AddSingleton<EndPoint>(new UriEndPoint(door.Url));
        builder.Services.AddSingleton<IConnectionFactory>(new Links(door));
        return builder;
    }
#endif
}
