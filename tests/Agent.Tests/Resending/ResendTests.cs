using System.Text;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Resending;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Resending;

/// <summary>Acked lines that are sent again: the same records, or none and the reason.</summary>
public sealed class ResendTests
{
    private static readonly InputOptions Plain = new() { Paths = ["/logs/*.log*"], Topic = "t", MaxLineBytes = 1024 };

    /// <summary>What an input may say of lines, and a file for it.</summary>
    public static TheoryData<string> Shapes => ["plain", "ends", "parts", "nuls", "utf16", "latin1", "multiline", "docker", "filters", "redact", "limit", "key", "labels"];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_same_records_go_out_whatever_becomes_of_lines(string shape) => With(ShapeOf(shape), async rig =>
    {
        byte[] file = FileOf(shape);
        rig.Append(file);
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Lines().Count > 0, "caught up");
        // The rest that has no line feed is taken after a rotation; a group ends by its time.
        rig.Machine.Rename(AgentRig.LogPath, AgentRig.LogPath + ".1");
        await rig.PassAsync(TimeSpan.FromSeconds(5));
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "caught up");
        await rig.StopAsync();
        List<string> sent = RecordWords.Of(rig.Broker, again: false);
        Assert.True(sent.Count > 1);
        List<string> said = await SendAsync(rig, AgentRig.LogPath + ".1");
        Assert.Equal(sent, RecordWords.Of(rig.Broker, again: true));
        Assert.Equal(sent.Count, rig.Stored().Count);
        Assert.Matches(@$"^sent {sent.Count} lines, bytes 0 to \d+ of the file, to t-0, marked again: offsets {sent.Count} to {(2 * sent.Count) - 1}$", said[^1]);
        // Once more does no harm, and each stretch is the same records, too.
        await SendAsync(rig, AgentRig.LogPath + ".1", file.Length / 3, file.Length / 2);
        List<string> again = RecordWords.Of(rig.Broker, again: true)[sent.Count..];
        Assert.NotEmpty(again);
        Assert.True(again.Count < sent.Count);
        Assert.Subset(sent.ToHashSet(), again.ToHashSet());
        Assert.Equal(sent.Count, rig.Stored().Count);
    });

    [Fact]
    public void Only_what_is_acked_is_sent_and_the_agent_goes_on_beside_it() => With(Plain, async rig =>
    {
        rig.Append("a\nb\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        rig.Broker.Fate = static header => header.ProducerId >= 0 ? ProduceFate.DropConnection : ProduceFate.Take;
        rig.Append("c\nd\n");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        List<string> said = await SendAsync(rig, AgentRig.LogPath, to: 100);
        Assert.Equal("/logs/access.log: generation " + Generation(rig) + " to t-0, 2 lines acked, to byte 4", said[0]);
        Assert.Equal("--to 100 is beyond what is acked: to byte 4", said[1]);
        Assert.Equal(["a", "b", "a", "b"], rig.Lines());
        await ExpectRefusalAsync(rig, "byte 4 is not acked, byte 4 is the first that is not; nothing is sent", AgentRig.LogPath, from: 4);
        rig.Broker.Fate = static _ => ProduceFate.Take;
        rig.Append("e\n");
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp, "caught up");
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        await SendAsync(rig, AgentRig.LogPath, from: 8);
        Assert.Equal(["a", "b", "a", "b", "c", "d", "e", "e"], rig.Lines());
        Assert.Equal(["a", "b", "c", "d", "e"], rig.Stored());
        await rig.StopAsync();
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(8, rig.Lines().Count);
        await rig.StopAsync();
    });

    [Fact]
    public void Positions_within_lines_are_rounded_and_a_dry_run_sends_nothing() => With(Plain, async rig =>
    {
        await SentAsync(rig, "one\ntwo\nthree\nfour\n");
        List<string> said = await SendAsync(rig, AgentRig.LogPath, 5, 9, isDry: true);
        Assert.Equal(
            ["--from 5: the line that it lies in, or that follows, begins at byte 4", "--to 9: the line that it lies in ends at byte 14", "would send 2 lines, bytes 4 to 14 of the file, to t-0; nothing was sent"],
            said[1..]);
        Assert.Equal(4, rig.Lines().Count);
        said = await SendAsync(rig, AgentRig.LogPath, 4, 8);
        Assert.Equal(["sent 1 line, bytes 4 to 8 of the file, to t-0, marked again: offsets 4 to 4"], said[1..]);
        Assert.Equal("two", rig.Lines()[^1]);
    });

    [Fact]
    public void A_file_is_found_by_its_identity_whatever_its_name() => With(Plain, async rig =>
    {
        await SentAsync(rig, "a\nb\n");
        rig.Machine.Rename(AgentRig.LogPath, "/logs/elsewhere");
        rig.Append("new and unknown\n");
        foreach (string path in new[] { AgentRig.LogPath, "/logs/elsewhere" })
        {
            List<string> said = await SendAsync(rig, path);
            Assert.StartsWith("/logs/elsewhere, first /logs/access.log: generation ", said[0], StringComparison.Ordinal);
        }
        Assert.Equal(["a", "b", "a", "b", "a", "b"], rig.Lines());
        // Another volume number: the content proves it.
        rig.Machine.Delete(AgentRig.LogPath);
        rig.Append("a\nb\nc\n");
        rig.Machine.Delete("/logs/elsewhere");
        Assert.StartsWith("/logs/access.log: generation ", (await SendAsync(rig, AgentRig.LogPath))[0], StringComparison.Ordinal);
        Assert.Equal(8, rig.Lines().Count);
    });

    [Fact]
    public void What_is_gone_or_changed_or_not_known_is_refused_with_the_reason() => With(Plain, async rig =>
    {
        const string Holds = "the file does not hold what was read of it: it was cut or written anew; nothing is sent";
        await SentAsync(rig, "one\ntwo\nthree\n");
        await ExpectRefusalAsync(rig, "/logs/other.log: the agent's state knows nothing of it; logpipe-agent explain /logs/other.log says what there is", "/logs/other.log");
        byte[] whole = rig.Read(AgentRig.LogPath);
        rig.Truncate();
        rig.Append("one\ntwo\n");
        await ExpectRefusalAsync(rig, Holds, AgentRig.LogPath);
        rig.Append("THREE\n");
        await ExpectRefusalAsync(rig, Holds, AgentRig.LogPath);
        rig.Truncate();
        rig.Append(whole);
        await SendAsync(rig, AgentRig.LogPath);
        InputOptions input = rig.Options.Inputs[0];
        rig.Options = rig.Options with { Inputs = [input with { ExcludeLines = [new LinePattern("two")] }] };
        await ExpectRefusalAsync(rig, "its lines would not become the records that were acked (3 of 11 bytes then, 2 of 8 now)", AgentRig.LogPath);
        rig.Options = rig.Options with { Inputs = [input with { Paths = ["/none/*"] }] };
        await ExpectRefusalAsync(rig, "/logs/access.log: no input for topic t wants it any more", AgentRig.LogPath);
        rig.Options = rig.Options with { Inputs = [input] };
        rig.Broker.HasTopic = static _ => false;
        await ExpectRefusalAsync(rig, "there is no topic t; make it, then send again", AgentRig.LogPath);
        rig.Machine.Delete(AgentRig.LogPath);
        await ExpectRefusalAsync(rig, "/logs/access.log: the file is gone, and its lines with it; nothing is sent", AgentRig.LogPath);
        Assert.Equal(6, rig.Lines().Count);
    });

    [Fact]
    public void A_change_far_behind_the_end_is_found_before_anything_is_sent() => With(Plain, async rig =>
    {
        string lines = string.Concat(Enumerable.Range(0, 5000).Select(static i => $"line {i:0000} of many\n"));
        await SentAsync(rig, lines);
        rig.Truncate();
        rig.Append(lines.Replace("line 2500", "LINE 2500", StringComparison.Ordinal));
        await ExpectRefusalAsync(rig, "its lines would not become the records that were acked", AgentRig.LogPath);
        Assert.Equal(5000, rig.Lines().Count);
    });

    [Fact]
    public void Many_batches_go_out_to_a_broker_that_takes_its_time_with_each() => With(Plain, async rig =>
    {
        rig.Options = rig.Options with { BatchBytes = 100_000 };
        const int Lines = 50_000;
        await SentAsync(rig, string.Concat(Enumerable.Range(0, Lines).Select(static i => $"line {i:00000} of so many others\n")));
        rig.Broker.Fate = _ =>
        {
            rig.Broker.Held = rig.PassAsync(TimeSpan.FromMilliseconds(100));
            return ProduceFate.Take;
        };
        await SendAsync(rig, AgentRig.LogPath);
        Assert.Equal(2 * Lines, rig.Lines().Count);
        Assert.Equal(Lines, rig.Stored().Count);
    });

    [Fact]
    public void Groups_that_a_timeout_ended_and_lines_that_a_limit_left_out_cannot_be_made_again() => With(
        Plain with { Multiline = new MultilineOptions { Continue = new LinePattern("^~"), Timeout = TimeSpan.FromMilliseconds(100) } }, async rig =>
    {
        rig.Append("a\n~1\n");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Count == 1, "the timeout");
        rig.Append("~2\n");
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
        await ExpectRefusalAsync(rig, "or a group of lines was ended by its timeout; nothing is sent", AgentRig.LogPath);

        rig.Options = rig.Options with { Inputs = [Plain with { RateLimit = new RateLimit(2, 2, RatePolicy.Drop) }] };
        rig.Append("1\n2\n3\n4\n", "/logs/limited.log");
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Contains("2") && rig.Agent.IsCaughtUp, "two lines");
        await rig.StopAsync();
        await ExpectRefusalAsync(rig, "2 of its lines were left out by rate_limit, and which ones cannot be told; nothing is sent", "/logs/limited.log");
    });

    [Fact]
    public void A_file_of_two_topics_goes_to_both_and_one_by_template_to_its_own() => With(Plain with { Topic = "t_{name}" }, async rig =>
    {
        rig.Broker.HasTopic = static _ => true;
        rig.Options = rig.Options with { Inputs = [.. rig.Options.Inputs, Plain with { Topic = "u" }] };
        await SentAsync(rig, "a\nb\n", lines: 4);
        rig.Machine.Rename(AgentRig.LogPath, "/logs/renamed.log");
        await SendAsync(rig, "/logs/renamed.log");
        Assert.Equal(["a", "b", "a", "b"], rig.Lines("t_access"));
        Assert.Equal(["a", "b", "a", "b"], rig.Lines("u"));
    });

    [Fact]
    public void A_topic_whose_lines_cannot_be_sent_again_does_not_hinder_another() => With(Plain with { Topic = "a" }, async rig =>
    {
        rig.Broker.HasTopic = static _ => true;
        InputOptions other = Plain with { Topic = "b" };
        rig.Options = rig.Options with { Inputs = [.. rig.Options.Inputs, other] };
        await SentAsync(rig, "one\ntwo\n", lines: 4);
        rig.Options = rig.Options with { Inputs = [Plain with { Topic = "a", ExcludeLines = [new LinePattern("two")] }, other] };
        List<string> said = [];
        bool isTaken = await Resend.RunAsync(
            rig.Options, new ResendRequest(AgentRig.LogPath), rig.Machine, rig.Broker, rig.Time, new Random(7), said.Add, CancellationToken.None);
        Assert.False(isTaken);
        Assert.Single(said, static line => line.StartsWith("a: its lines would not become the records that were acked", StringComparison.Ordinal));
        Assert.Equal(["one", "two"], rig.Lines("a"));
        Assert.Equal(["one", "two", "one", "two"], rig.Lines("b"));
    });

    [Fact]
    public void A_line_that_the_broker_refused_before_is_refused_again_and_the_others_are_taken() => With(Plain, async rig =>
    {
        rig.Broker.RefusedValue = "bad";
        await SentAsync(rig, "a\nb\nbad\nc\n", lines: 3);
        List<string> said = await SendAsync(rig, AgentRig.LogPath);
        Assert.Equal("1 of them the broker refuses (MessageTooLarge); 1 of its lines are in the agent's dead letters", said[^1]);
        Assert.Equal(["a", "b", "c"], rig.Stored());
        Assert.Equal(6, rig.Lines().Count);
    });

    [Fact]
    public void A_broker_that_is_away_for_a_while_is_waited_for_and_one_that_stays_away_is_told() => With(Plain, async rig =>
    {
        await SentAsync(rig, "a\nb\n");
        int fails = 3;
        rig.Broker.Fate = _ => fails-- > 0 ? ProduceFate.TakeThenDropConnection : ProduceFate.Take;
        await SendAsync(rig, AgentRig.LogPath);
        Assert.Equal(["a", "b"], rig.Stored());
        rig.Broker.IsDown = true;
        rig.Broker.Disconnect();
        await Assert.ThrowsAnyAsync<IOException>(() => SendAsync(rig, AgentRig.LogPath));
    });

    [Theory]
    [InlineData(".1.gz")]
    [InlineData(".1.zst")]
    public void A_file_that_was_compressed_since_is_unpacked(string suffix) => With(Plain, async rig =>
    {
        rig.Append("another\nfile\n", "/logs/other.log");
        await SentAsync(rig, "one\ntwo\nthree\n", lines: 5);
        rig.Compress("/logs/other.log", "/logs/other.log" + suffix);
        rig.Compress(AgentRig.LogPath, AgentRig.LogPath + suffix);
        foreach (string path in new[] { AgentRig.LogPath + suffix, AgentRig.LogPath })
        {
            List<string> said = await SendAsync(rig, path, from: 4);
            Assert.StartsWith($"{AgentRig.LogPath}{suffix}, first {AgentRig.LogPath}: generation", said[0], StringComparison.Ordinal);
            Assert.Equal(["two", "three"], rig.Lines()[^2..]);
        }
        Assert.Equal(9, rig.Lines().Count);
        Assert.Equal(5, rig.Stored().Count);
        Assert.Empty(rig.Machine.List(Path.GetTempPath()));
    });

    [Fact]
    public void An_archive_of_another_file_or_a_damaged_one_is_refused() => With(Plain, async rig =>
    {
        await SentAsync(rig, "one\ntwo\n");
        rig.Machine.Delete(AgentRig.LogPath);
        rig.Append("one\nTWO\n", "/logs/x.log");
        rig.Compress("/logs/x.log", AgentRig.LogPath + ".1.gz");
        await ExpectRefusalAsync(rig, "the agent's state knows nothing of it", AgentRig.LogPath + ".1.gz");
        await ExpectRefusalAsync(rig, "the file is gone, and its lines with it", AgentRig.LogPath);
        rig.Append("one\ntwo\n", "/logs/y.log");
        rig.Compress("/logs/y.log", AgentRig.LogPath + ".2.gz");
        await SendAsync(rig, AgentRig.LogPath + ".2.gz", isDry: true);
        rig.Disk.Corrupt(AgentRig.LogPath + ".2.gz", 20, 0xff);
        ResendRefusedException refused = await Assert.ThrowsAsync<ResendRefusedException>(() => SendAsync(rig, AgentRig.LogPath + ".2.gz"));
        Assert.Contains("nothing", refused.Message, StringComparison.Ordinal);
    });

    private static string Generation(AgentRig rig) => rig.Agent.Report(null, 1).Files[0].Generation;

    private static void With(InputOptions input, Func<AgentRig, Task> test) => AgentRig.OnOneThread(rig =>
    {
        rig.Options = rig.Options with { Inputs = [input] };
        return test(rig);
    });

    private static async Task SentAsync(AgentRig rig, string text, int? lines = null)
    {
        rig.Append(text);
        await rig.StartAsync();
        await rig.UntilLinesAsync(lines ?? text.Count('\n'));
        await rig.StopAsync();
    }

    private static async Task<List<string>> SendAsync(AgentRig rig, string path, long? from = null, long? to = null, bool isDry = false)
    {
        List<string> said = [];
        bool isTaken = await Resend.RunAsync(
            rig.Options, new ResendRequest(path, from, to, isDry), rig.Machine, rig.Broker, rig.Time, new Random(7), said.Add, CancellationToken.None);
        Assert.True(isTaken, string.Join('\n', said));
        return said;
    }

    private static async Task ExpectRefusalAsync(AgentRig rig, string reason, string path, long? from = null)
    {
        int batches = rig.Broker.Batches;
        ResendRefusedException refused = await Assert.ThrowsAsync<ResendRefusedException>(() => SendAsync(rig, path, from));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.Equal(batches, rig.Broker.Batches);
    }

    private static InputOptions ShapeOf(string shape) => shape switch
    {
        "latin1" => Plain with { Encoding = TextEncoding.Latin1 },
        "multiline" => Plain with { Multiline = new MultilineOptions { Continue = new LinePattern("^ "), Timeout = TimeSpan.FromSeconds(1) } },
        "docker" => Plain with { Format = LineFormat.Container },
        "filters" => Plain with { Include = [new LinePattern("[13579]")], ExcludeLines = [new LinePattern("5")] },
        "redact" => Plain with { Redact = [new EmailAddresses()] },
        "limit" => Plain with { RateLimit = new RateLimit(50, 5, RatePolicy.Wait) },
        "key" => Plain with { KeyPattern = new LinePattern("line (\\d+)"), Key = RecordKey.Pattern },
        "labels" => Plain with { Labels = [KeyValuePair.Create("env", "prod")], Key = RecordKey.File },
        _ => Plain,
    };

    private static byte[] FileOf(string shape)
    {
        string lines = string.Concat(Enumerable.Range(0, 300).Select(static i => $"line {i} by a{i}@example.com with more text\n"));
        string longs = string.Concat(Enumerable.Range(0, 9).Select(static i => $"{new string((char)('a' + i), 700 * i)}\r\n"));
        return shape switch
        {
            "ends" => Encoding.UTF8.GetBytes($"a\r\n\n\nb\nwithout an end"),
            "parts" => Encoding.UTF8.GetBytes(longs + lines),
            "nuls" => [.. "before\n"u8, .. new byte[9000], .. "after\n"u8, .. new byte[20], .. "few\n"u8],
            "utf16" => [0xff, 0xfe, .. Encoding.Unicode.GetBytes(lines + longs)],
            "latin1" => Encoding.Latin1.GetBytes(lines.Replace("text", "größe", StringComparison.Ordinal)),
            "multiline" => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 300).Select(static i => $"{(i % 7 < 3 ? "" : " ")}line {i}{(i % 50 == 49 ? new string('x', 900) : "")}\n"))),
            "docker" => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(static i =>
                $"{{\"log\":\"line {i}{(i % 5 == 0 ? "" : "\\n")}\",\"stream\":\"{(i % 3 == 0 ? "stderr" : "stdout")}\",\"time\":\"2026-01-01T00:00:00.{i:000}Z\"}}\n"))),
            _ => Encoding.UTF8.GetBytes(lines),
        };
    }
}
