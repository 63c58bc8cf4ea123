using LogPipeline.Agent.Inspection;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Inspection;

/// <summary>Why a path is read or not, as an agent that runs says and as its state directory alone says.</summary>
public sealed class ExplanationTests
{
    private static readonly InputOptions Web = new()
    {
        Paths = ["/logs/*.log"], Exclude = ["*debug*"], Topic = "t", Origin = "logpipe.yaml:4", ExcludeOrigin = "logpipe.yaml:5", MaxLineBytes = 1024,
    };

    [Fact]
    public void A_file_that_is_read_is_explained_with_its_rule_identity_and_positions() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [Web, Web with { Paths = ["/other/*"], Topic = "u", Origin = "logpipe.yaml:9" }] };
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Explanation running = Explain(rig, AgentRig.LogPath);
        Assert.True(running.IsRead, Text(running));
        Assert.Matches(@"(?s)^/logs/access.log\n  match +logpipe.yaml:4 topic t: /logs/\*.log\n  no match +logpipe.yaml:9 topic u: /other/\*\n"
            + @"  file +regular, 4 bytes, changed 2026-01-01 .*\n  identity +file system \S+, inode \d+, made 2026-01-01 .*\n"
            + @"  life +generation [0-9a-f]{16} to t-\d: live since .*\n +acked to byte 4, read to 4, of 4: 0 B behind, current\nread$", Text(running));
        await rig.StopAsync();

        var offline = Explanation.Of(rig.Options, rig.Machine, AgentRig.LogPath, null, null);
        Assert.True(offline.IsRead);
        Assert.Contains("acked to byte 4, read to 4, of 4", Text(offline), StringComparison.Ordinal);
        Assert.EndsWith("read when the agent runs; none answers now, and this is what its state directory says", Text(offline), StringComparison.Ordinal);
    });

    [Fact]
    public void Whatever_keeps_a_path_from_being_read_is_named() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [Web with { Paths = ["/logs/*", "/state/*", "/logs/dir/deep"] }] };
        rig.BeforeFileCall = call =>
        {
            if (call is { Operation: FileOperation.Open, Path: "/logs/forbidden.log" })
            {
                throw new IOException("Permission denied");
            }
        };
        rig.Append([0x1f, 0x8b, 0x08, 0, 1, 2], "/logs/old.gz");
        rig.Append("x\n", "/logs/app.debug.log");
        rig.Append("x\n", "/logs/forbidden.log");
        rig.Append("x\n", "/logs/.hidden");
        rig.Append("no line feed", "/logs/half");
        rig.Machine.CreateDirectory("/logs/dir");
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        AssertNotRead(rig, "/logs/old.gz", "not read: it is compressed: its lines were read before it was, or are older than the agent");
        AssertNotRead(rig, "/logs/app.debug.log", "not read: logpipe.yaml:5 *debug* excludes it");
        AssertNotRead(rig, "/logs/forbidden.log", "not read: Permission denied");
        AssertNotRead(rig, "/logs/.hidden", "a name that begins with a dot is matched only by one that does");
        AssertNotRead(rig, "/logs/dir", "not read: it is a directory\n  to change that: name its files, such as /logs/dir/*.log");
        AssertNotRead(rig, "/logs/nothing", "not read: there is no such file");
        AssertNotRead(rig, "/state/registry", "not read: /state is what the product itself writes to");
        AssertNotRead(rig, "/elsewhere/a.log", "not read: no input names it");
        Explanation half = Explain(rig, "/logs/half");
        Assert.True(half.IsRead);
        Assert.Contains("its last 12 bytes are no line yet: no line feed follows them", Text(half), StringComparison.Ordinal);
        Assert.Contains("it is a link to /gone, and nothing is there", Text(Explanation.Of(rig.Options, rig.Machine, "/logs/nothing", "/gone", null)), StringComparison.Ordinal);
        await rig.StopAsync();
    });

    [Fact]
    public void What_holds_a_file_up_in_the_agent_is_named() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [Web with { Paths = ["/logs/*"] }] };
        string lines = string.Concat(Enumerable.Range(0, 20).Select(i => $"line {i}\n"));
        rig.Append(lines);
        await rig.StartAsync();
        await rig.UntilLinesAsync(20);
        rig.Append(lines, AgentRig.LogPath + ".1");
        await rig.PassAsync(rig.Options.CopyWait / 4);
        AssertNotRead(rig, AgentRig.LogPath + ".1", "not read: it may be the copy that a rotation makes of a followed file");

        rig.Broker.IsDown = true;
        rig.Broker.Disconnect();
        rig.Append("more\n");
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        AssertNotRead(rig, AgentRig.LogPath, "not read: its partition is not connected: scripted:9092: the scripted broker is down");
        Assert.Contains(Explain(rig, AgentRig.LogPath).Lines, static line => line.Contains("5 B behind for ", StringComparison.Ordinal));
        rig.Broker.IsDown = false;
        await rig.UntilLinesAsync(41);
        Assert.True(Explain(rig, AgentRig.LogPath).IsRead);
        await rig.StopAsync();
    });

    [Fact]
    public void A_directory_that_may_not_be_listed_is_named() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [Web with { Paths = ["/logs/*/app.log"] }] };
        rig.Machine.CreateDirectory("/logs/a");
        rig.Append("x\n", "/logs/a/app.log");
        rig.BeforeFileCall = call =>
        {
            if (call is { Operation: FileOperation.List, Path: "/logs" })
            {
                throw new UnauthorizedAccessException("Access to '/logs' is denied");
            }
        };
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        AssertNotRead(rig, "/logs/a/app.log", "not read: the agent cannot look for it in /logs: Access to '/logs' is denied");
        await rig.StopAsync();
    });

    private static Explanation Explain(AgentRig rig, string path) => Explanation.Of(rig.Options, rig.Machine, path, null, rig.Agent.Report(path, 10));

    private static void AssertNotRead(AgentRig rig, string path, string expected)
    {
        Explanation explanation = Explain(rig, path);
        Assert.False(explanation.IsRead, Text(explanation));
        Assert.Contains(expected, Text(explanation), StringComparison.Ordinal);
    }

    private static string Text(Explanation explanation) => string.Join('\n', explanation.Lines);
}
