using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Files that are deleted before their lines can be sent.</summary>
public sealed class DeletedFilesTests
{
    private const int Lines = 20_000;

    [Fact]
    public void One_that_cannot_be_sent_is_kept_compressed_and_sent_later() => AgentRig.OnOneThread(async rig =>
    {
        bool isAway = Prepare(rig, out Action back);
        Assert.True(isAway);
        await rig.StartAsync();
        Write(rig, Lines);
        await PackedAsync(rig);
        Assert.Equal(1, rig.Log.Count("are kept compressed in /state/packed/"));
        await rig.UntilAsync(() => !rig.Agent.Describe().Contains("/logs/", StringComparison.Ordinal), "nothing is held open of the deleted file");
        back();
        await rig.UntilLinesAsync(Lines);
        Assert.Equal(Expected(Lines), rig.Lines());
        await rig.UntilAsync(() => Packed(rig).Count == 0, "the packed file is gone");
        await rig.StopAsync();
    });

    [Fact]
    public void It_outlives_a_configuration_that_does_not_want_it() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        await rig.StartAsync();
        Write(rig, Lines);
        await PackedAsync(rig);
        await rig.StopAsync();
        InputOptions wanted = rig.Options.Inputs[0];
        rig.Options = rig.Options with { Inputs = [wanted with { Topic = "other" }] };
        await rig.StartAsync();
        await rig.StopAsync();
        rig.Options = rig.Options with { Inputs = [wanted] };
        back();
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Stored().Count >= Lines && rig.Agent.IsCaughtUp, "all is stored");
        Assert.Equal(Expected(Lines), rig.Stored());
        await rig.UntilAsync(() => Packed(rig).Count == 0, "the packed file is gone");
        await rig.StopAsync();
    });

    [Fact]
    public void It_is_put_aside_where_the_state_is_of_another_machine() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action _);
        await rig.StartAsync();
        Write(rig, Lines);
        await PackedAsync(rig);
        rig.Kill();
        string name = Path.GetFileName(Assert.Single(Packed(rig)));
        rig.Options = rig.Options with { MachineId = "m2" };
        await rig.StartAsync();
        Assert.Equal([name], rig.Machine.List("/state/packed.aside").Select(static entry => entry.Name));
        Assert.Equal(1, rig.Log.Count("are kept compressed in /state/packed.aside"));
        rig.Kill();
    });

    [Fact]
    public void It_outlives_a_kill_of_the_agent() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        await rig.StartAsync();
        Write(rig, Lines);
        await PackedAsync(rig);
        rig.Kill();
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Single(Packed(rig));
        back();
        await rig.UntilAsync(() => rig.Stored().Count >= Lines && rig.Agent.IsCaughtUp, "all is stored");
        Assert.Equal(Expected(Lines), rig.Stored());
        Assert.Equal(0, rig.Log.Count("gone"));
        await rig.UntilAsync(() => Packed(rig).Count == 0, "the packed file is gone");
        await rig.StopAsync();
    });

    /// <summary>What deleted it may be its compressor, and another file may have come and gone meanwhile under a name of rotations.</summary>
    [Fact]
    public void Its_archive_is_not_read_beside_it_and_what_was_rotated_later_is() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out _);
        bool isAway = false;
        rig.Broker.Fate = _ => isAway ? ProduceFate.DropConnection : ProduceFate.Take;
        rig.Append("sent\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        isAway = true;
        Write(rig, Lines);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + ".2.gz");
        await rig.UntilAsync(() => Packed(rig).Exists(static path => !path.EndsWith(".tmp", StringComparison.Ordinal)), "it is packed");
        rig.Kill();
        rig.Append("missed\n", AgentRig.LogPath + ".1");
        rig.Append("new\n");
        isAway = false;
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Stored().Count >= Lines + 3 && rig.Agent.IsCaughtUp, "all is stored");
        Assert.Equal(["sent", .. Expected(Lines), "missed", "new"], rig.Stored());
        await rig.StopAsync();
    });

    /// <summary>Before the packed file has its name the lines go with the agent, as they would have without it; from then on nothing is lost.</summary>
    [Fact]
    public void A_kill_at_any_call_while_it_is_packed_loses_all_or_nothing_and_repeats_nothing()
    {
        int calls = 0;
        Killed(int.MaxValue, () => calls++);
        Assert.True(calls > 5);
        for (int at = 1; at <= calls; at++)
        {
            int left = at;
            Killed(at, () => left--);
        }
    }

    [Fact]
    public void What_its_writer_adds_while_it_is_packed_is_kept_too() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        IFile? writer = null;
        int more = 0;
        rig.BeforeFileCall = call =>
        {
            if (writer is not null && more < 3 && IsPacking(call) && call.Operation == FileOperation.Flush)
            {
                writer.Write("line "u8, writer.Length);
                writer.Write(System.Text.Encoding.ASCII.GetBytes($"{Lines + more++}\n"), writer.Length);
            }
        };
        await rig.StartAsync();
        Write(rig, Lines, () => writer = rig.Machine.Open(AgentRig.LogPath, FileOpenMode.ReadWrite));
        await PackedAsync(rig);
        writer!.Dispose();
        Assert.Equal(3, more);
        back();
        await rig.UntilLinesAsync(Lines + 3);
        Assert.Equal(Expected(Lines + 3), rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_disk_that_refuses_keeps_it_open_and_loses_nothing() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        rig.BeforeFileCall = static call =>
        {
            if (call.Operation == FileOperation.Write && call.Path.StartsWith("/state/packed", StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        await rig.StartAsync();
        await DeleteUnsentAsync(rig);
        await rig.UntilAsync(() => rig.Log.Count("cannot be kept compressed, and are held open instead: No space left on device") == 1, "it is told");
        Assert.Empty(Packed(rig));
        back();
        await rig.UntilLinesAsync(Lines);
        Assert.Equal(Expected(Lines), rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void One_that_is_read_to_its_end_while_it_is_packed_is_left_alone() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        var flushed = new TaskCompletionSource();
        bool isPacking = false;
        rig.FlushDelay = call =>
        {
            isPacking |= IsPacking(call);
            return IsPacking(call) ? flushed.Task : Task.CompletedTask;
        };
        await rig.StartAsync();
        await DeleteUnsentAsync(rig);
        await rig.UntilAsync(() => isPacking, "it is being packed");
        back();
        await rig.UntilLinesAsync(Lines);
        await rig.UntilAsync(() => rig.Agent.FilesFollowed == 0, "the file is over");
        flushed.SetResult();
        await rig.UntilAsync(() => Packed(rig).Count == 0, "nothing is left of the packed file");
        Assert.Equal(Expected(Lines), rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_stop_keeps_what_would_end_with_the_agent() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        rig.Options = rig.Options with { DeletedBytesKept = long.MaxValue };
        await rig.StartAsync();
        await DeleteUnsentAsync(rig);
        await rig.StopAsync();
        Assert.Single(Packed(rig));
        back();
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Stored().Count >= Lines && rig.Agent.IsCaughtUp, "all is stored");
        Assert.Equal(Expected(Lines), rig.Stored());
        await rig.StopAsync();
    });

    [Fact]
    public void It_can_be_stopped_while_it_packs() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        Task? stopping = null;
        rig.BeforeFileCall = call =>
        {
            if (IsPacking(call) && call.Operation == FileOperation.Flush)
            {
                stopping ??= rig.StopAsync();
            }
        };
        await rig.StartAsync();
        await DeleteUnsentAsync(rig);
        await rig.UntilAsync(() => stopping is { IsCompleted: true }, "it is stopped");
        await stopping!;
        Assert.Single(Packed(rig));
        back();
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Stored().Count >= Lines && rig.Agent.IsCaughtUp, "all is stored");
        Assert.Equal(Expected(Lines), rig.Stored());
        await rig.StopAsync();
    });

    [Fact]
    public void What_a_stop_cannot_keep_is_told() => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out _);
        rig.Options = rig.Options with { DeletedBytesKept = long.MaxValue };
        rig.BeforeFileCall = static call =>
        {
            if (call.Operation == FileOperation.Write && IsPacking(call))
            {
                throw new IOException("No space left on device");
            }
        };
        await rig.StartAsync();
        await DeleteUnsentAsync(rig);
        await rig.StopAsync();
        Assert.Equal(1, rig.Log.Count("are lost as the agent stops: No space left on device"));
    });

    private static void Killed(int at, Action call) => AgentRig.OnOneThread(async rig =>
    {
        Prepare(rig, out Action back);
        int seen = 0;
        bool isFirst = true;
        bool isKilled = false;
        rig.BeforeFileCall = file =>
        {
            if (isFirst && !isKilled && IsPacking(file))
            {
                call();
                if (++seen == at)
                {
                    isKilled = true;
                    rig.Kill();
                    throw new IOException("the process is gone");
                }
            }
        };
        await rig.StartAsync();
        await DeleteUnsentAsync(rig);
        await rig.UntilAsync(() => isKilled || Packed(rig).Exists(static path => !path.EndsWith(".tmp", StringComparison.Ordinal)), "it is packed, or the agent killed");
        if (!isKilled)
        {
            rig.Kill();
        }
        isFirst = false;
        bool isWhole = Packed(rig).Exists(static path => !path.EndsWith(".tmp", StringComparison.Ordinal));
        back();
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "what is there is sent");
        List<string> stored = rig.Stored();
        Assert.Equal(isWhole ? Lines : stored.Count, stored.Count);
        Assert.Equal(Expected(stored.Count), stored);
        await rig.UntilAsync(() => Packed(rig).Count == 0, "nothing of it is left");
        await rig.StopAsync();
    });

    private static bool Prepare(AgentRig rig, out Action back)
    {
        bool isAway = true;
        rig.Options = rig.Options with { UnackedBytesMax = 1 << 20, DeletedBytesKept = 1000 };
        rig.Broker.Fate = _ => isAway ? ProduceFate.DropConnection : ProduceFate.Take;
        back = () => isAway = false;
        return isAway;
    }

    private static bool IsPacking(FileCall call) => call.Path.StartsWith("/state/packed/", StringComparison.Ordinal);

    private static void Write(AgentRig rig, int lines, Action? opened = null)
    {
        rig.Append(string.Concat(Expected(lines).Select(static line => line + "\n")));
        opened?.Invoke();
    }

    private static async Task DeleteUnsentAsync(AgentRig rig)
    {
        Write(rig, Lines);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Machine.Delete(AgentRig.LogPath);
    }

    private static async Task PackedAsync(AgentRig rig)
    {
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Machine.Delete(AgentRig.LogPath);
        await rig.UntilAsync(() => Packed(rig).Exists(static path => !path.EndsWith(".tmp", StringComparison.Ordinal)), "it is packed");
    }

    private static List<string> Packed(AgentRig rig) => [.. rig.Machine.List("/state/packed").Select(static entry => entry.Name)];

    private static IEnumerable<string> Expected(int lines) => Enumerable.Range(0, lines).Select(static i => $"line {i}");
}
