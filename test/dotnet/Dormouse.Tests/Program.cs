// Runs every case in every protocol, one after another: a line for each, a count at the end, 1 where one failed.
// An argument is a part of the titles to be run.

using System.Diagnostics;
using System.Reflection;
using Dormouse.Tests;

var part = args.FirstOrDefault() ?? "";
var cases =
    from type in typeof(Program).Assembly.GetTypes()
    where type.Namespace == "Dormouse.Tests.Cases"
    orderby type.Name
    from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
    let about = method.GetCustomAttribute<CaseAttribute>()
    where about is not null
    from wire in Endpoint.Wires
    let title = $"{type.Name}: {about.Title} [{wire.ToString().ToLowerInvariant()}]"
    where title.Contains(part, StringComparison.OrdinalIgnoreCase)
    select (title, wire, about.Wires, run: method.CreateDelegate<Func<Lab, Task>>());

var (passed, failed, skipped) = (0, 0, 0);
foreach (var (title, wire, wires, run) in cases)
{
    if (!wires.HasFlag(wire)) continue;
    if (!Endpoint.Speaks(wire))
    {
        skipped++;
        continue;
    }
    var clock = Stopwatch.StartNew();
    var problem = await Attempt(run, wire);
    if (problem is null) passed++;
    else failed++;
    Console.WriteLine($"{(problem is null ? "ok  " : "FAIL")} {title} ({clock.ElapsedMilliseconds} ms)");
    if (problem is not null) Console.WriteLine($"     {problem.Replace("\n", "\n     ")}");
}

if (skipped > 0)
    Console.WriteLine($"{skipped} in MessagePack left out: NuGet has no Microsoft.AspNetCore.SignalR.Protocols.MessagePack here");
Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 && passed > 0 ? 0 : 1;

static async Task<string?> Attempt(Func<Lab, Task> run, Wire wire)
{
    await using var lab = new Lab(wire);
    try
    {
        await run(lab).WaitAsync(TimeSpan.FromSeconds(60));
        return null;
    }
    catch (UnexpectedException unexpected)
    {
        return unexpected.Message;
    }
    catch (Exception error)
    {
        return error.ToString();
    }
}
