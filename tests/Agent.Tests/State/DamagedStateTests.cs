using LogPipeline.Agent.State;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.State;

/// <summary>A state directory that is not what the agent left: damaged, copied, behind, or on a full disk.</summary>
public sealed class DamagedStateTests
{
    private const string Segment = "/state/inflight-00000001";
    private const string Other = "/logs/other.log";

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_flipped_bit_in_the_middle_loses_and_repeats_nothing(bool registryIsBehind, bool lastWasAppended) => AgentRig.OnOneThread(async rig =>
    {
        if (registryIsBehind)
        {
            rig.Options = rig.Options with { RegistryInterval = TimeSpan.FromHours(1) };
        }
        await rig.StartAsync();
        foreach (string line in new[] { "a", "b", "c", "d" })
        {
            rig.Append($"{line}\n");
            await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().LastOrDefault() == line, line);
        }
        bool hit = false;
        rig.Broker.Fate = _ =>
        {
            hit = true;
            return lastWasAppended ? ProduceFate.TakeThenDropConnection : ProduceFate.DropConnection;
        };
        rig.Append("e\n");
        await rig.UntilAsync(() => hit, "e was sent");
        rig.Kill();
        rig.Broker.Fate = _ => ProduceFate.Take;
        rig.Disk.Corrupt(Segment, EntryAt(rig, 2) + 40, 0x10);
        rig.Append("f\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(6);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("In-flight state is damaged"));
        Assert.True(rig.Broker.Fences > 0);
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(0x10)] // a flipped bit
    [InlineData(0)] // the file is gone
    public void A_damaged_registry_is_read_from_its_copy_and_loses_and_repeats_nothing(byte bit) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Append("c\n", Other);
        await rig.UntilLinesAsync(3);
        rig.Kill();
        if (bit == 0)
        {
            rig.Machine.Delete("/state/registry");
        }
        else
        {
            rig.Disk.Corrupt("/state/registry", 40, bit);
        }
        rig.Append("d\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a", "b", "c", "d"], rig.Lines());
        Assert.Single(rig.Broker.Records().Select(r => r.Position.AgentId).Distinct());
        Assert.Equal(1, rig.Log.Count("Its copy is used"));
        await rig.StopAsync();
        rig.Disk.Corrupt("/state/registry.copy", 40, 0x10);
        await rig.StartAsync();
        Assert.Equal(1, rig.Log.Count("Its copy is used"));
        Assert.Equal(4, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void A_registry_behind_the_notes_of_acks_catches_up_at_start() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { RegistryInterval = TimeSpan.FromHours(1) };
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        // This entry takes the note of the first one's ack to the disk.
        rig.Append("b\n", Other);
        await rig.UntilLinesAsync(2);
        rig.Kill();
        rig.Machine.Rename(AgentRig.LogPath, AgentRig.LogPath + ".1");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "all is known to be acked");
        Assert.Equal(["a", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_state_directory_copied_to_another_machine_gets_an_agent_id_of_its_own() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        rig.Options = rig.Options with { MachineId = "m2" };
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a", "b", "a", "b"], rig.Lines());
        Assert.Equal(2, rig.Broker.Records().Select(r => r.Position.AgentId).Distinct().Count());
        Assert.Equal(1, rig.Log.Count("written on another machine"));
        await rig.StopAsync();
        rig.Append("c\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(5);
        Assert.Equal(1, rig.Log.Count("written on another machine"));
        await rig.StopAsync();
    });

    [Fact]
    public void Segments_go_once_the_registry_knows_what_is_in_them() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { RetainedTime = TimeSpan.Zero, RetainedBytesMax = 0 };
        List<string> expected = [];
        for (int start = 0; start < 4; start++)
        {
            // Each start begins a segment of its own.
            rig.Append($"{start}\n");
            expected.Add($"{start}");
            await rig.StartAsync();
            await rig.UntilLinesAsync(expected.Count);
            await rig.UntilAsync(() => Segments(rig).Count == 1, "only the newest segment is left");
            rig.Kill();
        }
        Assert.Equal(expected, rig.Lines());
        Assert.Equal(["/state/inflight-00000004"], Segments(rig));
    });

    [Fact]
    public void A_full_disk_pauses_and_goes_on_where_it_was() => AgentRig.OnOneThread(async rig =>
    {
        bool isFull = false;
        rig.BeforeFileCall = call =>
        {
            if (isFull && call.Operation == FileOperation.Write && call.Path.StartsWith("/state/", StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        isFull = true;
        rig.Append("b\n");
        await rig.UntilAsync(() => rig.Log.Count("reading pauses") > 0, "the pause is told");
        rig.Append("c\n");
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(["a"], rig.Lines());
        isFull = false;
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        await rig.StopAsync();
    });

    /// <summary>Acked batches would be kept for ten minutes, and no snapshot of the registry would find room, without which none of them may go.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_a_small_disk_what_is_retained_makes_way(bool isKilled) => AgentRig.OnOneThread(async rig =>
    {
        string[] lines = [.. Enumerable.Range(0, 4000).Select(static i => $"{i} {(i * 7919L * 104729L) % 1_000_000_007L:x} {(i * 15485863L) % 998_244_353L:x}")];
        rig.Append(string.Concat(lines.Select(static line => line + "\n")));
        rig.Options = rig.Options with { InflightSegmentBytes = 16 << 10, RegistryInterval = TimeSpan.FromSeconds(1), Compression = BatchCompression.None };
        rig.Disk.Capacity = rig.Disk.UsedBytes + (80 << 10);
        await rig.StartAsync();
        if (isKilled)
        {
            await rig.UntilAsync(() => rig.Lines().Count > lines.Length / 2, "half of the lines");
            rig.Kill();
            await rig.StartAsync();
        }
        await rig.UntilLinesAsync(lines.Length);
        Assert.Equal(lines, rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_agent_whose_disk_is_full_stops_when_asked(bool isMetBefore) => AgentRig.OnOneThread(async rig =>
    {
        bool isFull = false;
        rig.BeforeFileCall = call =>
        {
            if (isFull && call.Operation == FileOperation.Write && call.Path.StartsWith("/state/", StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        isFull = true;
        if (isMetBefore)
        {
            rig.Append("b\n");
            await rig.UntilAsync(() => rig.Log.Count("reading pauses") > 0, "the pause is told");
        }
        // What waits for the disk ends too, and so does the stop.
        bool isStopped = false;
        async Task StopAsync()
        {
            await rig.StopAsync();
            isStopped = true;
        }
        Task stopping = StopAsync();
        await rig.UntilAsync(() => isStopped, "the agent stops");
        await stopping;
    });

    [Fact]
    public void A_clock_that_jumps_shortens_nothing_that_is_kept() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { InflightSegmentBytes = 200 };
        await rig.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            rig.Append($"line {i}\n");
            await rig.UntilLinesAsync(i + 1);
        }
        await rig.PassAsync(rig.Options.RegistryInterval * 4); // the last ack is noted, be a snapshot between
        int kept = Segments(rig).Count;
        Assert.True(kept > 2);
        rig.Time.WallOffset = TimeSpan.FromHours(2);
        await rig.PassAsync(rig.Options.RetainedTime / 2);
        Assert.Equal(kept, Segments(rig).Count);
        rig.Time.WallOffset = TimeSpan.FromHours(-2);
        await rig.PassAsync(rig.Options.RetainedTime);
        Assert.Single(Segments(rig));
        await rig.StopAsync();
    });

    [Fact]
    public void A_topic_that_no_input_names_any_more_is_settled_and_not_followed() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        bool hit = false;
        rig.Broker.Fate = _ =>
        {
            hit = true;
            return ProduceFate.DropConnection;
        };
        rig.Append("b\n");
        await rig.UntilAsync(() => hit, "b was sent");
        rig.Kill();
        rig.Broker.Fate = _ => ProduceFate.Take;
        rig.Append("c\n");
        rig.Options = rig.Options with { Inputs = [new InputOptions { Paths = ["/elsewhere/*"], Topic = "u" }] };
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count == 2 && rig.Agent.IsCaughtUp, "b is settled");
        await rig.PassAsync(TimeSpan.FromMilliseconds(20));
        Assert.Equal(["a", "b"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("is in no input any more"));
        await rig.StopAsync();
    });

    private static List<string> Segments(AgentRig rig) =>
        [.. rig.Machine.List("/state").Where(e => e.Name.StartsWith("inflight-", StringComparison.Ordinal)).Select(e => "/state/" + e.Name)];

    /// <summary>Where the frame of the n-th entry begins, counted from 1.</summary>
    private static int EntryAt(AgentRig rig, int n)
    {
        byte[] bytes = AtomicFile.ReadAll(rig.Machine, Segment)!;
        for (int at = 0; ;)
        {
            Assert.Equal(FrameResult.Frame, StateReader.TryFrame(bytes.AsSpan(at), out FrameKind kind, out _, out int size));
            if (kind == FrameKind.Entry && --n == 0)
            {
                return at;
            }
            at += size;
        }
    }
}
