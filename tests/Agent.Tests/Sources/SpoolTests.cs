using System.Text;
using LogPipeline.Agent.Inspection;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;

namespace LogPipeline.Agent.Tests.Sources;

/// <summary>Lines that cannot be read again: spooled before they count as taken, sent once and in order, gone when they are acked.</summary>
public sealed class SpoolTests
{
    private const string Directory = "/state/spool/stdin-t";

    [Fact]
    public void What_a_source_gives_is_sent_in_order_under_its_name_and_its_spool_is_emptied() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        bool isSent = false;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            for (int i = 0; i < 300; i++)
            {
                await spool.AppendAsync(Encoding.UTF8.GetBytes($"line {i} {new string('x', 500)}\n"), stopped);
            }
        });
        rig.SourcesSent = () => isSent = true;
        await rig.StartAsync();
        await rig.UntilAsync(() => isSent, "all that the source gave is acked");
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"line {i} {new string('x', 500)}"), rig.Lines());
        Assert.Empty(rig.Machine.List(Directory));
        Assert.Equal(["stdin"], rig.Broker.FileHeaders());
        await rig.StopAsync();
    });

    [Fact]
    public void A_spool_is_read_for_its_own_input_alone_and_shown_under_its_sources_name() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.Options = rig.Options with { Inputs = [new InputOptions { Paths = ["/state/**"], Topic = "u" }, rig.Options.Inputs[0]] };
        rig.MakeSource = _ => new ScriptedSource((spool, stopped) => spool.AppendAsync("one\n"u8.ToArray(), stopped));
        rig.Broker.IsDown = true;
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(["stdin t 4"], rig.Agent.Report(null, 10).Files.Select(static file => $"{file.Source} {file.Topic} {file.LagBytes}"));
        var explanation = Explanation.Of(rig.Options.WithSpools(), rig.Machine, $"{Directory}/00000001.log", null, null);
        Assert.True(explanation.IsRead, string.Join('\n', explanation.Lines));
        Assert.False(Explanation.Of(rig.Options.WithSpools(), rig.Machine, "/state/registry", null, null).IsRead);
        rig.Broker.IsDown = false;
        await rig.UntilAsync(() => rig.Lines().Count == 1, "it is sent");
        await rig.StopAsync();
    });

    [Fact]
    public void Lines_of_many_files_keep_their_order_and_their_partition() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.Broker.Partitions = 4;
        string filler = new('x', 900);
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            // More than two files, while nothing is acked.
            StringBuilder chunk = new();
            for (int i = 0; i < 40_000; i++)
            {
                chunk.Append(i).Append(' ').Append(filler).Append('\n');
                if (i % 1000 == 999)
                {
                    await spool.AppendAsync(Encoding.ASCII.GetBytes(chunk.ToString()), stopped);
                    chunk.Clear();
                }
            }
        });
        bool isSent = false;
        rig.SourcesSent = () => isSent = true;
        rig.Options = rig.Options with { BatchBytes = 1 << 20 };
        await rig.StartAsync();
        await rig.UntilAsync(() => isSent, "all is acked");
        Assert.Equal(Enumerable.Range(0, 40_000), rig.Lines().Select(static line => int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Single(rig.Broker.PartitionsUsed.Distinct());
        await rig.StopAsync();
    });

    [Fact]
    public void An_empty_file_between_two_lets_no_line_overtake() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.MakeSource = _ => new ScriptedSource((_, stopped) => Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped));
        rig.Machine.CreateDirectory(Directory);
        rig.Append(string.Concat(Enumerable.Range(0, 20_000).Select(static i => $"{i}\n")), $"{Directory}/00000001.log");
        rig.Append("", $"{Directory}/00000002.log"); // begun, and then the agent was killed
        rig.Append("20000\n", $"{Directory}/00000003.log");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count == 20_001, "all is sent");
        Assert.Equal(Enumerable.Range(0, 20_001).Select(static i => $"{i}"), rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_killed_agent_sends_what_was_durable_once_and_a_cut_line_ends_where_it_was_cut() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        bool away = true;
        rig.Broker.Fate = _ => away ? ProduceFate.TakeThenDropConnection : ProduceFate.Take;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync("one\ntwo\n"u8.ToArray(), stopped);
            await Task.Delay(Timeout.InfiniteTimeSpan, rig.Time, stopped);
        });
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Broker.Records().Count >= 2, "the broker has them");
        rig.Kill();
        rig.Append("cut", $"{Directory}/00000001.log");
        away = false;
        byte[] last = [];
        rig.MakeSource = _ => new ScriptedSource((spool, stopped) =>
        {
            last = spool.LastLine();
            return spool.AppendAsync("three\n"u8.ToArray(), stopped);
        });
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count >= 4, "what was left and what came is sent");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["one", "two", "cut", "three"], rig.Lines());
        Assert.Equal("cut", Encoding.ASCII.GetString(last));
        await rig.StopAsync();
    });

    [Fact]
    public void Bytes_are_not_sent_before_they_are_durable() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        bool isFull = false;
        rig.BeforeFileCall = call =>
        {
            if (isFull && call.Operation == FileOperation.Flush && call.Path.StartsWith(Directory, StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        Task appended = Task.CompletedTask;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            await spool.AppendAsync("one\n"u8.ToArray(), stopped);
            await rig.UntilLinesAsync(1);
            isFull = true;
            appended = spool.AppendAsync("two\n"u8.ToArray(), stopped);
            await appended;
        });
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(["one"], rig.Lines());
        Assert.False(appended.IsCompleted);
        isFull = false;
        await rig.UntilAsync(() => rig.Lines().Count == 2, "the disk takes it again");
        Assert.Equal(["one", "two"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_full_spool_makes_a_source_wait_or_drop_until_lines_are_acked() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.Options = rig.Options with { SpoolBytesMax = 1 << 20 };
        rig.Broker.IsDown = true;
        byte[] chunk = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 999) + "\n", 100)));
        int taken = 0;
        Spool? used = null;
        bool isSent = false;
        rig.MakeSource = _ => new ScriptedSource(async (spool, stopped) =>
        {
            used = spool;
            for (; taken < 20; taken++)
            {
                await spool.AppendAsync(chunk, stopped);
            }
        });
        rig.SourcesSent = () => isSent = true;
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        Assert.InRange(taken, 10, 11);
        Assert.False(used!.TryAppend("late\n"u8));
        Assert.True(rig.Machine.List(Directory).Count >= 5);
        rig.Broker.IsDown = false;
        await rig.UntilAsync(() => isSent, "all is acked");
        Assert.Equal(2000, rig.Lines().Count);
        Assert.True(used.TryAppend("early\n"u8));
        await rig.StopAsync();
    });

    [Fact]
    public void What_is_spooled_in_a_state_directory_of_another_machine_is_sent_under_an_agent_id_of_its_own() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig);
        rig.MakeSource = _ => new ScriptedSource((spool, stopped) => spool.AppendAsync("one\ntwo\n"u8.ToArray(), stopped));
        rig.Broker.IsDown = true;
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Kill();
        rig.Options = rig.Options with { MachineId = "m2" };
        rig.MakeSource = _ => new ScriptedSource((spool, stopped) => spool.AppendAsync("three\n"u8.ToArray(), stopped));
        rig.Broker.IsDown = false;
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["one", "two", "three"], rig.Lines());
        Assert.Equal(1, rig.Log.Count("and what is spooled, are read and sent again"));
        await rig.StopAsync();
    });

    private static void Use(AgentRig rig) =>
        rig.Options = rig.Options with { Inputs = [new InputOptions { Source = new StdinSourceOptions(), Topic = "t", MaxLineBytes = 1024 }] };
}

/// <summary>A source that a test writes.</summary>
internal sealed class ScriptedSource(Func<Spool, CancellationToken, Task> run) : ILineSource
{
    public Task RunAsync(Spool spool, CancellationToken stopped) => run(spool, stopped);
}
