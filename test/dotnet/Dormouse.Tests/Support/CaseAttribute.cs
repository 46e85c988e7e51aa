namespace Dormouse.Tests;

[Flags]
public enum Wire
{
    Json = 1,
    MessagePack = 2,
    Both = Json | MessagePack,
}

/// <summary>A case: its title is a fact. It is run once in each of its protocols.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CaseAttribute(string title, Wire wires = Wire.Both) : Attribute
{
    public string Title => title;
    public Wire Wires => wires;
}
