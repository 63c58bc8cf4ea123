using System.Buffers.Binary;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.State;

/// <summary>The registry's changes are notes in the in-flight files; its snapshot is replaced rarely.</summary>
public sealed class RegistryNotesTests
{
    private const string Segment = "/state/inflight-00000001";
    private const string Snapshot = "/state/registry";

    [Fact]
    public void What_changes_costs_what_changes() => AgentRig.OnOneThread(async rig =>
    {
        for (int i = 0; i < 300; i++)
        {
            rig.Append($"{i}\n", $"/logs/{i}.log");
        }
        await rig.StartAsync();
        await rig.UntilLinesAsync(300);
        await rig.PassAsync(rig.Options.RegistryInterval * 3);
        long written = 0;
        rig.BeforeFileCall = call => written += call.Operation == FileOperation.Write && call.Path.StartsWith("/state/", StringComparison.Ordinal) ? 1 : 0;
        await rig.PassAsync(rig.Options.RegistryInterval * 10);
        Assert.Equal(0, written);
        byte[] snapshot = AtomicFile.ReadAll(rig.Machine, Snapshot)!;
        for (int line = 0; line < 10; line++)
        {
            rig.Append("more\n", "/logs/7.log");
            await rig.UntilLinesAsync(301 + line);
        }
        rig.Append("new\n", "/logs/new.log");
        await rig.UntilLinesAsync(311);
        rig.Machine.Rename("/logs/8.log", "/logs/8.log.1");
        await rig.PassAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(snapshot, AtomicFile.ReadAll(rig.Machine, Snapshot));
        rig.Kill();
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "all is known again");
        Assert.Equal(311, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void A_start_has_the_snapshot_and_what_was_noted_after_it() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Append("b\n", "/logs/b.log");
        await rig.UntilLinesAsync(2);
        rig.Machine.Rename("/logs/b.log", "/logs/b.log.1");
        await rig.UntilAsync(() => Load(rig).Any(g => g.Path == "/logs/b.log.1" && g.Phase == GenerationPhase.Finished), "the rename and the end are noted");
        rig.Kill();
        Assert.Contains(Load(rig), g => g is { FirstPath: "/logs/b.log", Phase: GenerationPhase.Finished });
        await rig.StartAsync();
        await rig.StopAsync();
        Assert.Equal(["a", "b"], rig.Lines());
    });

    [Fact]
    public void What_was_forgotten_stays_forgotten()
    {
        var registry = new Registry { NextNote = 5 };
        registry.Generations.Add(Generation(1, "/old"));
        registry.Generations.Add(Generation(2, "/kept"));
        registry.Apply(
        [
            new RegistryNote(4, 2, Generation(2, "/before the snapshot")),
            new RegistryNote(5, 3, Generation(3, "/new")),
            new RegistryNote(6, 1, Generation(1, "/old.1")),
            new RegistryNote(7, 1, null),
            new RegistryNote(8, 3, Generation(3, "/new.1")),
        ]);
        Assert.Equal(["/kept", "/new.1"], registry.Generations.Select(static g => g.Path));
        Assert.Equal(9, registry.NextNote);
        Assert.True(registry.Changes.IsEmpty);
        registry.Generations[0].Path = "/kept";
        Assert.True(registry.Changes.IsEmpty);
        registry.Generations[0].Path = "/kept.1";
        registry.Generations[0].Phase = GenerationPhase.Rotated;
        Assert.Equal(1, registry.Changes.Count);
    }

    /// <summary>Where the snapshot knows the files, all is found in the log again; a file whose registration the cut took is read once more.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_journal_that_is_cut_anywhere_loses_nothing(bool isInSnapshot)
    {
        bool isCut = true;
        for (int fromEnd = 1; isCut; fromEnd += 37)
        {
            AgentRig.OnOneThread(async rig => isCut = await CutAsync(rig, isInSnapshot, fromEnd));
        }
    }

    private static async Task<bool> CutAsync(AgentRig rig, bool isInSnapshot, int fromEnd)
    {
        string[] lines = ["0", "1", "2"];
        rig.Options = rig.Options with { InflightSegmentBytes = 4096 };
        if (isInSnapshot)
        {
            rig.Append("0\n", "/logs/x.log");
            rig.Append("1\n");
        }
        await rig.StartAsync();
        if (isInSnapshot)
        {
            await rig.UntilLinesAsync(2);
            await rig.UntilAsync(() => Registry.Load(rig.Machine, Snapshot)?.Generations.Count == 2, "the snapshot knows the files");
        }
        else
        {
            rig.Append("0\n", "/logs/x.log");
            rig.Append("1\n");
        }
        rig.Append("2\n", "/logs/x.log");
        await rig.UntilLinesAsync(3);
        await rig.PassAsync(rig.Options.RegistryInterval * 3);
        rig.Kill();
        byte[] whole = AtomicFile.ReadAll(rig.Machine, Segment)!;
        int used = whole.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        int cut = Math.Max(0, used - fromEnd);
        if (fromEnd > used + 36)
        {
            return false;
        }
        Put(rig, Segment, whole.AsSpan(0, cut));
        rig.Append("3\n");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().Contains("3"), $"the line behind a cut at {cut} is there");
        Assert.Equal(1, rig.Log.Count("In-flight state is damaged"));
        Assert.All(lines, line => Assert.Contains(line, rig.Lines()));
        if (isInSnapshot)
        {
            Assert.Equal(4, rig.Lines().Count);
        }
        await rig.StopAsync();
        return true;
    }

    [Fact]
    public void The_state_of_an_agent_without_notes_is_taken_over() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        // The version before had no number of the next note, and no length in a segment's header.
        Put(rig, Snapshot, WithoutNotes(AtomicFile.ReadAll(rig.Machine, Snapshot)!, [.. Load(rig)]));
        Put(rig, Segment, OldSegment(AtomicFile.ReadAll(rig.Machine, Segment)!));
        rig.Append("c\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        Assert.Equal(0, rig.Log.Count("damaged"));
        await rig.StopAsync();
    });

    private static List<Generation> Load(AgentRig rig)
    {
        Registry registry = Registry.Load(rig.Machine, Snapshot)!;
        registry.Apply(InflightContents.Load(rig.Machine, "/state").Notes);
        return registry.Generations;
    }

    private static Generation Generation(ulong id, string path) => new() { Id = id, Topic = "t", FirstPath = path, Path = path, Partition = 0 };

    private static void Put(AgentRig rig, string path, ReadOnlySpan<byte> bytes)
    {
        using IFile file = rig.Machine.Open(path, FileOpenMode.ReadWrite);
        file.SetLength(0);
        file.Write(bytes, 0);
    }

    private static byte[] WithoutNotes(byte[] snapshot, List<Generation> generations)
    {
        Registry registry = Registry.Read(snapshot);
        var to = new StateWriter();
        to.Begin(FrameKind.RegistryHeader);
        to.Byte(1);
        to.Guid(registry.AgentId);
        to.String(registry.MachineId);
        to.String(registry.BootId);
        to.Int64(registry.NextEntry);
        to.Int32(registry.InputsStarted.Count);
        foreach (string input in registry.InputsStarted)
        {
            to.String(input);
        }
        to.End();
        foreach (Generation generation in generations)
        {
            to.Begin(FrameKind.Generation);
            generation.Write(to);
            to.End();
        }
        foreach (LogRecord log in registry.Logs)
        {
            to.Begin(FrameKind.Log);
            log.Write(to);
            to.End();
        }
        to.Begin(FrameKind.RegistryEnd);
        to.Int32(generations.Count);
        to.Int32(registry.Logs.Count);
        to.End();
        return to.Written.ToArray();
    }

    private static byte[] OldSegment(ReadOnlySpan<byte> segment)
    {
        var to = new StateWriter();
        to.Begin(FrameKind.SegmentHeader);
        to.Byte(1);
        to.Int32(1);
        to.Int64(1);
        to.End();
        List<byte> old = [.. to.Written];
        int at = 0;
        while (StateReader.TryFrame(segment[at..], out FrameKind kind, out _, out int size) == FrameResult.Frame)
        {
            if (kind is FrameKind.Entry or FrameKind.Acked)
            {
                old.AddRange(segment.Slice(at, size));
            }
            at += size;
        }
        Assert.Equal(14u, BinaryPrimitives.ReadUInt32BigEndian(to.Written));
        return [.. old, .. new byte[segment.Length]];
    }
}
