// Judges tokens as ASP.NET Core's JwtBearer does, and makes tokens in the ways that .NET applications do. Reads a
// `Request` from standard input and writes an array of `Verdict` to standard output, both as JSON.

using System.Text.Json;
using Dormouse.TokenHandlers;

var json = new JsonSerializerOptions(JsonSerializerDefaults.Web);
var request = JsonSerializer.Deserialize<Request>(await Console.In.ReadToEndAsync(), json)!;
var judge = new Judge(request);
var verdicts = new List<Verdict>();
foreach (var (name, token) in Maker.Tokens(request).Concat(request.Tokens.Select(one => (one.Name, one.Token))))
    verdicts.Add(await judge.Judged(name, token));
Console.WriteLine(JsonSerializer.Serialize(verdicts, json));
