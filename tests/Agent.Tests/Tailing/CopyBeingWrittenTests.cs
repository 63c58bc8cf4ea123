using System.Globalization;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>A copytruncate that goes on while the agent looks: the copy was seen short, and is whole when its original is found cut.</summary>
public sealed class CopyBeingWrittenTests
{
    private const string Copy = AgentRig.LogPath + ".1";

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    [InlineData(999)]
    public void What_a_look_saw_of_it_before_is_not_held_against_it(int copiedBefore) => AgentRig.OnOneThread(async rig =>
    {
        string[] lines = [.. Enumerable.Range(0, 1000).Select(static i => $"line {i.ToString("d4", CultureInfo.InvariantCulture)}")];
        string Text(IEnumerable<string> some) => string.Concat(some.Select(static line => line + "\n"));
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/access.log*"] }] };
        rig.Append(Text(lines[..990]));
        await rig.StartAsync();
        await rig.UntilLinesAsync(990);
        rig.Append(Text(lines[990..]));
        bool isDone = false;
        rig.BeforeFileCall = call =>
        {
            if (!isDone && call.Operation == FileOperation.Open && call.Path == Copy)
            {
                isDone = true;
                rig.Append(Text(lines[copiedBefore..]), Copy);
                rig.Truncate();
                rig.Append("new\n");
            }
        };
        rig.Append(Text(lines[..copiedBefore]), Copy);
        await rig.UntilLinesAsync(1001);
        await rig.PassAsync(rig.Options.CopyWait * 2);
        Assert.True(isDone);
        Assert.Equal([.. lines, "new"], rig.Lines().Order(StringComparer.Ordinal).OrderBy(static line => line == "new"));
        await rig.StopAsync();
    });
}
