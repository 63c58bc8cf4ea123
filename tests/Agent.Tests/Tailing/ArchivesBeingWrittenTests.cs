using System.Globalization;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Archives that end before what was compressed does: they are still being written at the agent's start, or were cut for good.</summary>
public sealed class ArchivesBeingWrittenTests
{
    private const string Archive = AgentRig.LogPath + ".1";
    private const int ReadLines = 2_000;
    private const int RestLines = 1_000;

    /// <param name="suffix">Which compression.</param>
    /// <param name="part">How much of the archive is there at the start; before that all that was read ends, or behind it.</param>
    [Theory]
    [InlineData(".gz", 0.0)]
    [InlineData(".gz", 0.01)]
    [InlineData(".gz", 0.4)]
    [InlineData(".gz", 0.9)]
    [InlineData(".zst", 0.4)]
    [InlineData(".zst", 0.9)]
    public void One_that_still_grows_is_waited_for(string suffix, double part) => AgentRig.OnOneThread(async rig =>
    {
        byte[] rest = await ReadAndCompressAsync(rig, suffix, part);
        rig.Append("new\n");
        Task started = rig.StartAsync();
        await rig.UntilAsync(() => rig.Log.Count("is still being written") == 1, "the start waits");
        Assert.Equal(ReadLines, rig.Lines().Count);
        rig.Append(rest, Archive + suffix);
        await started;
        await rig.UntilLinesAsync(ReadLines + RestLines + 1);
        Assert.Equal([.. Lines(0, ReadLines + RestLines), "new"], rig.Lines().OrderBy(NumberOf));
        Assert.Equal(0, rig.Log.Count("gone while"));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(".gz", 0.4)]
    [InlineData(".gz", 0.9)]
    [InlineData(".zst", 0.4)]
    public void Of_one_that_was_cut_for_good_what_is_there_is_read_once(string suffix, double part) => AgentRig.OnOneThread(async rig =>
    {
        await ReadAndCompressAsync(rig, suffix, part);
        rig.Time.Advance(TimeSpan.FromHours(1));
        rig.Append("new\n");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Contains("new") && rig.Agent.IsCaughtUp, "the new line");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        string[] whole = [.. rig.Lines().Where(Lines(0, ReadLines + RestLines).Contains)];
        Assert.Equal(whole.Distinct(), whole);
        Assert.Equal(part > 0.5, whole.Length > ReadLines);
        Assert.Equal(1, rig.Log.Count("ends before what was compressed does"));
        await rig.StopAsync();
    });

    [Fact]
    public void One_beside_the_file_that_is_being_compressed_is_no_other_file() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append(Text(0, ReadLines));
        await rig.StartAsync();
        await rig.UntilLinesAsync(ReadLines);
        await rig.StopAsync();
        rig.Machine.Rename(AgentRig.LogPath, AgentRig.LogPath + ".2");
        rig.Time.Advance(TimeSpan.FromHours(24));
        rig.Append(Text(ReadLines, RestLines), Archive);
        rig.Append(rig.Packed(Archive, Archive + ".gz"), Archive + ".gz");
        rig.Append("new\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(ReadLines + RestLines + 1);
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal([.. Lines(0, ReadLines + RestLines), "new"], rig.Lines().OrderBy(NumberOf));
        await rig.StopAsync();
    });

    /// <summary>
    /// Its compressor deletes the file that it is made of while the start waits, since nothing can be unpacked yet, or after the start, which has seen that it begins
    /// otherwise than what was lost. The agent has the file open.
    /// </summary>
    [Theory]
    [InlineData("/logs/*.log", 20)]
    [InlineData("/logs/*.log*", 20)]
    [InlineData("/logs/*.log", 100)]
    [InlineData("/logs/*.log*", 100)]
    public void One_of_a_file_that_was_cut_and_is_still_open_is_not_read_beside_it(string pattern, int written) => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = [pattern] }] };
        rig.Broker.IsDown = true;
        rig.Append("lost\n");
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(30));
        rig.Kill();
        rig.Truncate();
        rig.Append(Text(0, ReadLines));
        rig.Machine.Rename(AgentRig.LogPath, Archive);
        byte[] packed = rig.Packed(Archive, Archive + ".gz");
        rig.Append(packed[..written], Archive + ".gz");
        rig.Append("new\n");
        Task started = rig.StartAsync();
        await (written == 20 ? rig.UntilAsync(() => rig.Log.Count("is still being written") == 1, "the start waits") : started);
        rig.Append(packed[written..], Archive + ".gz");
        rig.Machine.Delete(Archive);
        await started;
        rig.Broker.IsDown = false;
        await rig.UntilAsync(() => rig.Lines().Contains("new") && rig.Agent.IsCaughtUp, "the new line");
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal([.. Lines(0, ReadLines), "new"], rig.Lines().OrderBy(NumberOf));
        await rig.StopAsync();
    });

    /// <summary>The first start has unpacked one archive when it waits for another, and knows no more what was rotated later.</summary>
    [Fact]
    public void What_was_missed_is_read_though_the_start_that_waits_is_killed() => AgentRig.OnOneThread(async rig =>
    {
        const string Other = "/logs/other.log";
        rig.Append(Text(0, ReadLines));
        rig.Append(Text(2 * ReadLines, ReadLines), Other);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2 * ReadLines);
        await rig.StopAsync();
        rig.Append("rest\n");
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".2.gz");
        rig.Append("missed\n", Archive);
        rig.Compress(Archive, Archive + ".gz");
        rig.Append("new\n");
        rig.Append("rest of the other\n", Other);
        byte[] packed = rig.Packed(Other, Other + ".1.gz");
        rig.Append(packed[..^100], Other + ".1.gz");
        rig.Machine.Delete(Other);
        _ = rig.StartAsync();
        await rig.UntilAsync(() => rig.Log.Count("is still being written") == 1, "the start waits");
        await rig.PassAsync(rig.Options.RegistryInterval * 4);
        rig.Kill();
        rig.Append(packed[^100..], Other + ".1.gz");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Stored().Contains("new") && rig.Agent.IsCaughtUp, "the new line");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["missed", "new", "rest", "rest of the other"], rig.Stored().Where(static line => !line.StartsWith("line ", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal((2 * ReadLines) + 4, rig.Stored().Count);
        await rig.StopAsync();
    });

    /// <summary>
    /// The start that waits has sent on what was under way, and so has written the state, long after the file that was missed. Where it is killed, the next one must
    /// know up to when files were followed before it.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_was_missed_long_before_the_start_that_waits_is_read_though_that_is_killed(int kills) => AgentRig.OnOneThread(async rig =>
    {
        const string Other = "/logs/other.log";
        rig.Append(Text(0, ReadLines));
        rig.Append(Text(2 * ReadLines, ReadLines), Other);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2 * ReadLines);
        rig.Broker.IsDown = true;
        rig.Append("under way\n", Other);
        await rig.PassAsync(TimeSpan.FromSeconds(10));
        rig.Kill();
        rig.Append("rest\n");
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".2.gz");
        rig.Append("missed\n", Archive);
        rig.Append("new\n");
        rig.Append("rest of the other\n", Other);
        byte[] packed = rig.Packed(Other, Other + ".1.gz");
        rig.Machine.Delete(Other);
        rig.Broker.IsDown = false;
        rig.Broker.ForgetProducers(); // so that a new one is noted in the state
        for (int kill = 1; kill <= kills; kill++)
        {
            await rig.PassAsync(TimeSpan.FromMinutes(3));
            int waits = rig.Log.Count("is still being written");
            rig.Append(packed[((kill - 1) * 10)..(kill * 10)], Other + ".1.gz");
            _ = rig.StartAsync();
            await rig.UntilAsync(() => rig.Log.Count("is still being written") > waits && rig.Stored().Contains("under way"), "the start waits");
            await rig.PassAsync(rig.Options.RegistryInterval * 4);
            rig.Kill();
        }
        rig.Append(packed[(kills * 10)..], Other + ".1.gz");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Stored().Contains("new") && rig.Agent.IsCaughtUp, "the new line");
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(
            ["missed", "new", "rest", "rest of the other", "under way"],
            rig.Stored().Where(static line => !line.StartsWith("line ", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal((2 * ReadLines) + 5, rig.Stored().Count);
        await rig.StopAsync();
    });

    /// <summary>Lines are read, more are written while the agent is away, and a part of the archive of all is there. Returns the other part.</summary>
    private static async Task<byte[]> ReadAndCompressAsync(AgentRig rig, string suffix, double part)
    {
        rig.Append(Text(0, ReadLines));
        await rig.StartAsync();
        await rig.UntilLinesAsync(ReadLines);
        await rig.StopAsync();
        rig.Time.Advance(TimeSpan.FromHours(24));
        rig.Append(Text(ReadLines, RestLines));
        byte[] packed = rig.Packed(AgentRig.LogPath, Archive + suffix);
        rig.Machine.Delete(AgentRig.LogPath);
        int there = (int)(packed.Length * part);
        rig.Append(packed[..there], Archive + suffix);
        return packed[there..];
    }

    private static int NumberOf(string line) => line == "new" ? int.MaxValue : int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);

    private static string[] Lines(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(static i => $"line {i} {(uint)i * 2654435761:x} of a file that is rotated while the agent is away")];

    private static string Text(int from, int count) => string.Concat(Lines(from, count).Select(static line => line + "\n"));
}
