using System.Text;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Sources;

/// <summary>What is taken is sent, and its source goes on, where a spool reaches a bound, its disk refuses, or the agent stops.</summary>
public sealed class SpoolBoundsTests
{
    private const string Directory = "/state/spool/stdin-t";

    [Fact]
    public void The_same_lines_are_sent_for_every_run_that_is_given_them() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        bool isSent = false;
        rig.SourcesSent = () => isSent = true;
        string text = string.Concat(Enumerable.Range(0, 100).Select(static i => $"line {i} of a file that is piped in\n"));
        for (int run = 1; run <= 2; run++)
        {
            isSent = false;
            rig.MakeSource = _ => new ScriptedSource((spool, stopped) => spool.AppendAsync(Encoding.UTF8.GetBytes(text), stopped));
            await rig.StartAsync();
            await rig.UntilAsync(() => isSent, "all that the source gave is acked");
            await rig.StopAsync();
            Assert.Equal(100 * run, rig.Lines().Count);
        }
    });

    [Fact]
    public async Task A_power_cut_brings_no_deleted_file_back()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var machine = new MemoryFileSystem(new MemoryDisk(TimeProvider.System));
            using (Spool spool = Open(machine))
            {
                await spool.AppendAsync("one\n"u8.ToArray(), default);
                spool.End();
                spool.Delete(spool.Whole().Single().Path);
            }
            using Spool found = Open(machine.LosePower(seed));
            Assert.True(found.IsEmpty);
        }

        static Spool Open(MemoryFileSystem files) => new(
            files, Directory, 1 << 20, new DiskPause(TimeProvider.System, static fault => throw fault, default));
    }

    [Fact]
    public void A_clean_stop_keeps_what_was_taken_without_waiting() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.FlushDelay = call => rig.PassAsync(TimeSpan.FromMilliseconds(call.Path.StartsWith(Directory, StringComparison.Ordinal) ? 20 : 0));
        bool isTaken = true;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            isTaken &= spool.TryAppend("one\n"u8);
            await rig.PassAsync(TimeSpan.FromMilliseconds(1));
            isTaken &= spool.TryAppend("two\n"u8); // while the first is being written
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromMilliseconds(5));
        await rig.StopAsync();
        Assert.True(isTaken);
        rig.MakeSource = _ => new ScriptedSource((_, stopped) => Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped));
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count == 2, "what was taken is sent");
        Assert.Equal(["one", "two"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void The_last_room_of_a_disk_is_left_to_what_the_agent_notes() => AgentRig.OnOneThread(async rig =>
    {
        UseSmall(rig);
        var isFull = new TaskCompletionSource();
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync("one\n"u8.ToArray(), stopped);
            await isFull.Task;
            await spool.AppendAsync("two\n"u8.ToArray(), stopped);
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Disk.Capacity = rig.Disk.UsedBytes + rig.Options.InflightBytesMax - 1;
        isFull.SetResult();
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(["one"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("are left to what the agent notes and sends"));
        Assert.Equal(0, rig.Log.Count("The agent's state cannot be written"));
        rig.Disk.Capacity = long.MaxValue;
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
    });

    [Fact]
    public void A_stop_writes_what_was_taken_into_the_last_room() => AgentRig.OnOneThread(async rig =>
    {
        UseSmall(rig);
        var isFull = new TaskCompletionSource();
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await isFull.Task;
            Assert.True(spool.TryAppend("one\n"u8));
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        rig.Disk.Capacity = rig.Disk.UsedBytes + rig.Options.InflightBytesMax - 1;
        isFull.SetResult();
        await rig.PassAsync(TimeSpan.FromMilliseconds(100));
        await rig.StopAsync();
        Assert.Equal(0, rig.Log.Count("are lost"));
        rig.MakeSource = _ => new ScriptedSource((_, stopped) => Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped));
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        Assert.Equal(["one"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(500, 1, "")]
    [InlineData(5000, 0, "Source stdin: 4 bytes that it gave are lost: its spool cannot be written, and the agent ends: No space left on device")]
    public void A_stop_waits_its_grace_for_a_disk_that_refuses_what_cannot_be_had_again(int refusedFor, int kept, string told) => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        bool isFull = true;
        rig.BeforeFileCall = call =>
        {
            if (isFull && call.Operation == FileOperation.Write && call.Path.StartsWith(Directory, StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            spool.TryAppend("one\n"u8);
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromMilliseconds(5));
        Task stopping = rig.StopAsync();
        await rig.PassAsync(TimeSpan.FromMilliseconds(refusedFor));
        isFull = false;
        await stopping;
        Assert.Equal(told, string.Join('\n', rig.Log.Lines.Where(static line => line.Contains("lost", StringComparison.Ordinal))));
        rig.MakeSource = _ => new ScriptedSource((_, stopped) => Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped));
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(kept, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void Appends_that_wait_for_the_disk_go_on_when_it_has_written() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.FlushDelay = call => rig.PassAsync(TimeSpan.FromMilliseconds(call.Path.StartsWith(Directory, StringComparison.Ordinal) ? 50 : 0));
        byte[] chunk = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 1023) + "\n", 64)));
        bool isOver = false;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            // As many connections do, which wait for nothing but their own bytes.
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => spool.AppendAsync(chunk, stopped)));
            isOver = true;
        });
        await rig.StartAsync();
        await rig.UntilAsync(() => isOver, "all that waited is taken");
        await rig.StopAsync();
    });

    [Fact]
    public void A_spool_that_one_file_fills_goes_on_once_that_is_acked() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.Options = rig.Options with { SpoolBytesMax = 1 << 20, BatchBytes = 1 << 20 };
        byte[] chunk = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 999) + "\n", 2000)));
        bool isSent = false;
        rig.SourcesSent = () => isSent = true;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync(chunk, stopped);
            await spool.AppendAsync("last\n"u8.ToArray(), stopped);
        });
        await rig.StartAsync();
        await rig.UntilAsync(() => isSent, "all is acked");
        Assert.Equal(2001, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void A_directory_that_could_not_be_flushed_is_flushed_before_a_line_counts_as_taken() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.Broker.IsDown = true;
        int refusals = 1;
        rig.BeforeFileCall = call =>
        {
            if (call.Operation == FileOperation.FlushDirectory && call.Path == Directory && rig.Machine.FileExists($"{Directory}/00000001.log") && refusals-- > 0)
            {
                throw new IOException("Input/output error");
            }
        };
        bool isTaken = false;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync("one\n"u8.ToArray(), stopped);
            isTaken = true;
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.UntilAsync(() => isTaken, "it is taken");
        rig.Kill();
        rig.BeforeFileCall = null;
        rig.Disk.LosePower(new Random(4));
        rig.Broker.IsDown = false;
        rig.MakeSource = _ => new ScriptedSource((_, stopped) => Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped));
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count == 1, "what was taken is sent");
        await rig.StopAsync();
    });

    [Fact]
    public void A_last_line_of_any_length_is_found_again() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        string last = new('x', 5 << 20);
        byte[] found = [];
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync(Encoding.ASCII.GetBytes($"first\n{last}\n"), stopped);
            found = spool.LastLine();
        });
        await rig.StartAsync();
        await rig.UntilAsync(() => found.Length > 0, "it is there");
        Assert.Equal(last.Length, found.Length);
        await rig.StopAsync();
    });

    /// <summary>What is in flight takes less than a quarter of the disk.</summary>
    private static void UseSmall(AgentRig rig)
    {
        Use(rig);
        rig.Options = rig.Options with { UnackedBytesMax = 2 << 20, RetainedBytesMax = 1 << 20, InflightSegmentBytes = 64 << 10 };
        rig.Append(new byte[16 << 20], "/other");
    }

    private static void Use(AgentRig rig) =>
        rig.Options = rig.Options with { Inputs = [new InputOptions { Source = new StdinSourceOptions(), Topic = "t", MaxLineBytes = 1024 }] };
}
