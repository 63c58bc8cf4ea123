using LogPipeline.Agent.State;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.State;

/// <summary>The mark of a start that is under way, in the file <c>start</c>.</summary>
public sealed class StartMarkTests
{
    private const string Path = "/state/start";

    [Fact]
    public void What_it_says_is_durable_and_so_is_that_it_is_gone() => AgentRig.OnOneThread(rig =>
    {
        rig.Machine.CreateDirectory("/state");
        var mark = new StartMark(rig.Machine, "/state");
        Assert.Null(mark.Read(out _));
        mark.Write(1_234_567_890_123);
        rig.Disk.LosePower(new Random(1));
        Assert.Equal(1_234_567_890_123, mark.Read(out bool isDamaged));
        Assert.False(isDamaged);
        mark.Remove();
        rig.Disk.LosePower(new Random(2));
        Assert.Null(mark.Read(out isDamaged));
        Assert.False(isDamaged);
        return Task.CompletedTask;
    });

    [Fact]
    public void It_says_nothing_wrong_whatever_bit_is_flipped_and_wherever_it_is_cut() => AgentRig.OnOneThread(rig =>
    {
        rig.Machine.CreateDirectory("/state");
        var mark = new StartMark(rig.Machine, "/state");
        mark.Write(1_234_567_890_123);
        byte[] whole = AtomicFile.ReadAll(rig.Machine, Path)!;
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] flipped = [.. whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertDamaged(flipped);
        }
        for (int length = 0; length < whole.Length; length++)
        {
            AssertDamaged(whole[..length]);
        }
        return Task.CompletedTask;

        void AssertDamaged(byte[] bytes)
        {
            AtomicFile.Replace(rig.Machine, Path, bytes);
            Assert.Null(mark.Read(out bool isDamaged));
            Assert.True(isDamaged);
        }
    });

    /// <summary>It is there as long as a start is under way, is told where it is damaged, and does not keep the agent from starting.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_agent_leaves_none_once_it_has_started(bool isDamaged) => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Kill();
        bool wasThere = false;
        rig.BeforeFileCall = call => wasThere = wasThere || (call.Path.StartsWith("/logs/", StringComparison.Ordinal) && rig.Disk.Copy(rig.Time, "seen") is var disk
            && new MemoryFileSystem(disk).FileExists(Path));
        if (isDamaged)
        {
            AtomicFile.Replace(rig.Machine, Path, [1, 2, 3]);
        }
        rig.Options = rig.Options with { RegistryInterval = TimeSpan.FromHours(1) }; // it does not wait for the next note of progress
        await rig.StartAsync();
        Assert.True(wasThere);
        await rig.UntilAsync(() => !rig.Machine.FileExists(Path), "the mark is gone");
        Assert.Equal(isDamaged ? 1 : 0, rig.Log.Count("/state/start is damaged"));
        rig.Append("b\n");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "b"], rig.Lines());
        await rig.StopAsync();
    });
}
