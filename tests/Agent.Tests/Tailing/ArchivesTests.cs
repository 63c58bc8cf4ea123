using System.Globalization;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that are rotated and compressed while the agent is away.</summary>
public sealed class ArchivesTests
{
    private const string Unpacked = "/state/unpacked";

    [Theory]
    [InlineData(".gz", false, false)]
    [InlineData(".gz", false, true)]
    [InlineData(".gz", true, false)]
    [InlineData(".zst", false, false)]
    public void What_was_not_read_of_a_compressed_file_is_read_there(string suffix, bool isKilled, bool isKilledAgain) => AgentRig.OnOneThread(async rig =>
    {
        string[] first = [.. Enumerable.Range(0, 100).Select(static i => $"line {i} of those that are read before the stop")];
        string[] second = [.. Enumerable.Range(100, 5_000).Select(static i => $"line {i} of those that are written while it is away")];
        rig.Append(Text(first));
        if (isKilled)
        {
            // The note of the acks is not on the disk then, and of the head nothing is known.
            rig.Options = rig.Options with { RegistryInterval = TimeSpan.FromHours(1) };
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(first.Length);
        if (isKilled)
        {
            rig.Kill();
        }
        else
        {
            await rig.StopAsync();
        }
        rig.Append(Text(second));
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".1" + suffix);
        rig.Append("new\n");
        await rig.StartAsync();
        if (isKilledAgain)
        {
            await rig.UntilAsync(() => rig.Lines().Count > first.Length + 10, "a part is read");
            rig.Kill();
            await rig.StartAsync();
        }
        await rig.UntilLinesAsync(first.Length + second.Length + 1);
        Assert.Equal([.. first, .. second, "new"], rig.Lines().OrderBy(static line => line == "new" ? int.MaxValue : int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)));
        Assert.Equal([AgentRig.LogPath], rig.Broker.FileHeaders());
        Assert.Equal(0, rig.Log.Count("gone while"));
        await rig.UntilAsync(() => rig.Machine.List(Unpacked).Count == 0, "what is read is no longer unpacked");
        await rig.StopAsync();
    });

    [Fact]
    public void A_full_state_directory_holds_the_start_back_and_loses_nothing() => AgentRig.OnOneThread(async rig =>
    {
        string[] first = [.. Enumerable.Range(0, 100).Select(static i => $"line {i} of those that are read before the stop")];
        rig.Append(Text(first));
        await rig.StartAsync();
        await rig.UntilLinesAsync(first.Length);
        await rig.StopAsync();
        rig.Append("b\n");
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".1.gz");
        rig.Append("c\n");
        bool isFull = true;
        rig.BeforeFileCall = call =>
        {
            if (isFull && call.Operation == FileOperation.Write && call.Path.StartsWith(Unpacked, StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        Task started = rig.StartAsync();
        await rig.UntilAsync(() => rig.Log.Count("cannot be unpacked: No space left on device") == 1, "the full disk is told");
        Assert.Equal(first, rig.Lines());
        isFull = false;
        await started;
        await rig.UntilLinesAsync(first.Length + 2);
        Assert.Equal(["b", "c"], rig.Lines().Skip(first.Length).Order());
        await rig.StopAsync();
    });

    [Fact]
    public void One_in_another_directory_that_is_looked_into_is_found() => AgentRig.OnOneThread(async rig =>
    {
        string[] first = [.. Enumerable.Range(0, 100).Select(static i => $"line {i} of those that are read before the stop")];
        InputOptions input = rig.Options.Inputs[0];
        rig.Options = rig.Options with { Inputs = [input with { Paths = [.. input.Paths, "/logs/old/*"] }] };
        rig.Machine.CreateDirectory("/logs/old");
        rig.Append("another\n", "/logs/old/other.log");
        rig.Append(Text(first));
        await rig.StartAsync();
        await rig.UntilLinesAsync(first.Length + 1);
        await rig.StopAsync();
        rig.Append("rest\n");
        rig.Compress(AgentRig.LogPath, "/logs/old/access.log.1.gz");
        rig.Append("new\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(first.Length + 3);
        Assert.Equal(new[] { "another", "new", "rest" }.Concat(first).Order(), rig.Lines().Order());
        Assert.Equal(0, rig.Log.Count("gone while"));
        await rig.StopAsync();
    });

    [Fact]
    public void One_that_was_read_to_its_end_is_known_and_not_read_again() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".1.gz");
        rig.Append("c\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        Assert.Equal(0, rig.Log.Count("gone while"));
        await rig.StopAsync();
    });

    /// <summary>One line may be any file's. But the archive that is named for the file, and begins with that line, is taken for its own.</summary>
    [Theory]
    [InlineData(".gz")]
    [InlineData(".zst")]
    public void One_of_a_rotated_file_of_which_a_single_line_was_read_is_known_by_its_name(string suffix) => AgentRig.OnOneThread(async rig =>
    {
        const string Rotated = AgentRig.LogPath + "-20261128";
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = ["/logs/*.log*"] }] };
        rig.Append("first\nbegin ");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        rig.Append("second\nthird\n");
        await rig.UntilLinesAsync(3);
        await rig.PassAsync(rig.Options.RegistryInterval * 2);
        rig.Kill();
        rig.Append("and end\n", Rotated);
        rig.Compress(Rotated, Rotated + suffix);
        rig.Machine.Delete(AgentRig.LogPath);
        rig.Append("new\n");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Contains("new") && rig.Lines().Contains("begin and end") && rig.Agent.IsCaughtUp, "the lines that were not read");
        Assert.Equal(["begin and end", "first", "new", "second", "third"], rig.Lines().Order(StringComparer.Ordinal));
        await rig.StopAsync();
    });

    [Fact]
    public void One_that_was_read_and_deleted_just_before_a_kill_is_not_called_gone() => AgentRig.OnOneThread(async rig =>
    {
        string[] first = [.. Enumerable.Range(0, 100).Select(static i => $"line {i} of those that are read before the stop")];
        rig.Append(Text(first));
        await rig.StartAsync();
        await rig.UntilLinesAsync(first.Length);
        await rig.StopAsync();
        rig.Append("rest\n");
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".1.gz");
        rig.Options = rig.Options with { RegistryInterval = TimeSpan.FromHours(1) };
        await rig.StartAsync();
        await rig.UntilLinesAsync(first.Length + 1);
        await rig.UntilAsync(() => rig.Machine.List(Unpacked).Count == 0, "what is read is deleted, which is not noted yet");
        rig.Kill();
        await rig.StartAsync();
        rig.Append("new\n");
        await rig.UntilLinesAsync(first.Length + 2);
        Assert.Equal([.. first, "rest", "new"], rig.Lines());
        Assert.Equal(0, rig.Log.Count("gone while"));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_is_damaged_or_of_another_file_is_told_and_stops_nothing(bool isDamaged) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        if (isDamaged)
        {
            rig.Append(Text([.. Enumerable.Range(0, 1000).Select(static i => $"{i}")]));
        }
        else
        {
            rig.Append("x", "/logs/other");
            rig.Machine.Rename("/logs/other", AgentRig.LogPath);
        }
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".1.gz");
        if (isDamaged)
        {
            rig.Disk.Corrupt(AgentRig.LogPath + ".1.gz", 600, 0x10);
        }
        rig.Append("c\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("gone while"));
        Assert.Equal(isDamaged ? 1 : 0, rig.Log.Count("cannot be unpacked"));
        await rig.StopAsync();
    });

    private static string Text(string[] lines) => string.Concat(lines.Select(static line => line + "\n"));
}
