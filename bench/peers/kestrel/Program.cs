// ASP.NET Core SignalR as its documentation has it. Arguments: the port, and `--redis host:port` for a backplane.

using Microsoft.AspNetCore.SignalR;

var builder = WebApplication.CreateSlimBuilder();
builder.WebHost.UseUrls($"http://127.0.0.1:{args[0]}");
builder.Logging.ClearProviders();
// Pings would come at every connection's own time, within the streams that are compared; so there are none in a run.
var signalr = builder.Services.AddSignalR(options => options.KeepAliveInterval = TimeSpan.FromMinutes(5));
#if WHOLE
signalr.AddMessagePackProtocol();
if (args is [_, "--redis", var redis]) signalr.AddStackExchangeRedis(redis);
#endif

var app = builder.Build();
app.MapHub<BenchHub>("/hub");
app.Run();

public sealed class BenchHub : Hub
{
    public Task Join(string room) => Groups.AddToGroupAsync(Context.ConnectionId, room);

    public Task Say(string room, string payload) => Clients.Group(room).SendAsync("said", payload);

    public string Echo(string payload) => payload;
}
