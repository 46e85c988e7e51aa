// The same hubs on ASP.NET Core: what the cases claim is first claimed of SignalR itself (`run.ts --reference`).
// The port is the first argument; who may come in is in the environment, as for the tests.

using Dormouse.Reference;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.SignalR;

var builder = WebApplication.CreateSlimBuilder();
builder.WebHost.UseUrls($"http://127.0.0.1:{args[0]}");
builder.Logging.ClearProviders();
builder.Services.AddAuthentication("jwt").AddScheme<AuthenticationSchemeOptions, Tokens>("jwt", null);
builder.Services.AddAuthorization();
var signalr = builder.Services.AddSignalR();
#if WHOLE
signalr.AddMessagePackProtocol();
#endif

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapHub<SignalrHub>("/hubs/signalr");
app.MapHub<SignalrHub>("/hubs/signalr-stateful", options => options.AllowStatefulReconnects = true);
app.MapHub<NotificationHub>("/hubs/notifications");
app.MapHub<OrderHub>("/hubs/orders");
app.MapHub<ChatHub>("/hubs/chat");
app.MapHub<PresenceHub>("/hubs/presence");
app.MapHub<PriceHub>("/hubs/prices");
app.MapHub<UploadHub>("/hubs/uploads");
app.MapHub<AdminHub>("/hubs/admin");
app.MapHub<ValueHub>("/hubs/values");
app.MapGet("/events/orders", (CancellationToken stop) => TypedResults.ServerSentEvents(OrderFeed.Read(stop), "order-update"))
    .RequireAuthorization();
app.Run();
