// What blocks of the guides use and do not declare: it stands for the reader's own.

namespace Docs.Clients
{
    sealed class Screen : IChatClient
    {
        public Task ReceiveMessage(string user, string message) => Task.CompletedTask;
        public Task UserJoined(string user, string room) => Task.CompletedTask;
        public Task UserLeft(string user, string room) => Task.CompletedTask;
    }
}

namespace Docs.MovingFromSignalr
{
    sealed class EmailUserIdProvider : IUserIdProvider
    {
        public string? GetUserId(HubConnectionContext connection) => connection.User.FindFirst("email")?.Value;
    }
}
