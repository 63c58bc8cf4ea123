using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>The client verbs against a real broker process.</summary>
public sealed class ClientVerbTests : IAsyncLifetime, IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";
    private RealProcess? _broker;

    public async Task InitializeAsync()
    {
        _broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        Assert.Equal($"ready: broker on {_bootstrap}", await _broker.ReadyAsync());
    }

    public async Task DisposeAsync() => await _broker!.DisposeAsync();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Topics_are_created_listed_described_and_deleted()
    {
        Assert.Equal("created orders\n", await DoneAsync("topics", "create", "orders", "--partitions", "3"));
        Assert.Equal(["TOPIC   PARTITIONS  RECORDS", "orders           3        0"], Lines(await DoneAsync("topics", "list")));
        Assert.StartsWith("orders: id ", await DoneAsync("topics", "describe", "orders"), StringComparison.Ordinal);
        (int status, string _, string? errors) = await RunAsync("topics", "create", "orders");
        Assert.Equal(2, status);
        Assert.Matches("^logpipe topics create: orders: .*\\(error 36\\)\n$", errors);
        Assert.Equal("deleted orders\n", await DoneAsync("topics", "delete", "orders"));
        Assert.Equal(2, (await RunAsync("topics", "describe", "orders")).Status);
    }

    [Fact]
    public async Task A_topic_gets_partitions_and_settings_and_is_told_why_not()
    {
        Assert.Equal(
            "created orders\norders: preallocate has no effect here: Segments are always preallocated.\n",
            await DoneAsync("topics", "create", "orders", "--set", "segment.ms=60000", "--set", "preallocate=false"));
        await DoneAsync("topics", "alter", "orders", "--unset", "preallocate");
        Assert.Equal(
            "orders: set retention.ms=5000\norders: unset segment.ms\norders: 3 partitions\n",
            await DoneAsync("topics", "alter", "orders", "--partitions", "3", "--set", "retention.ms=5000", "--unset", "segment.ms"));
        string described = await DoneAsync("topics", "describe", "orders");
        Assert.Matches("^orders: id .*, 3 partitions\n  retention.ms=5000\nPARTITION", described);
        Assert.Contains("preallocate has no effect here", await DoneAsync("topics", "alter", "orders", "--set", "preallocate=true"), StringComparison.Ordinal);
        await RefusedAsync("^logpipe topics alter: orders: Invalid value soon for configuration retention.ms: .*\\(error 40\\)\n$", "topics", "alter", "orders", "--set", "retention.ms=soon");
        await RefusedAsync("^logpipe topics alter: orders: Topic already has 3 partition\\(s\\)\\. \\(error 37\\)\n$", "topics", "alter", "orders", "--partitions", "3");
        await RefusedAsync("nothing to change", "topics", "alter", "orders");
    }

    [Fact]
    public async Task Records_are_deleted_up_to_an_offset_or_all_and_consumers_begin_at_the_new_start()
    {
        await _workspace.RunAsync("1\n2\n3\n"u8.ToArray(), "produce", "work", "--partition", "0", "--bootstrap", _bootstrap);
        Assert.Equal(["PARTITION  START  END", "        0      2    3"], Lines(await DoneAsync("topics", "delete-records", "work", "--before", "2")));
        Assert.Equal("3\n", await DoneAsync("consume", "work", "--from-beginning", "--until-end"));
        Assert.Equal(["PARTITION  START  END", "        0      3    3"], Lines(await DoneAsync("topics", "delete-records", "work", "--all", "--partition", "0")));
        await RefusedAsync("OffsetOutOfRange", "topics", "delete-records", "work", "--before", "9");
        await RefusedAsync("work has no partition 7; it has 1", "topics", "delete-records", "work", "--all", "--partition", "7");
        await RefusedAsync("say which records", "topics", "delete-records", "work");
    }

    [Fact]
    public async Task Partitions_are_added_and_records_deleted_under_their_own_verbs()
    {
        await DoneAsync("topics", "create", "work", "--partitions", "2");
        Assert.Equal("work: 5 partitions\n", await DoneAsync("partitions", "add", "work", "3"));
        await RefusedAsync("give 1 or more", "partitions", "add", "work", "0");
        await _workspace.RunAsync("1\n2\n"u8.ToArray(), "produce", "work", "--partition", "4", "--bootstrap", _bootstrap);
        Assert.Equal(["PARTITION  START  END", "        4      1    2"], Lines(await DoneAsync("records", "delete", "work", "--before", "1", "--partition", "4")));
    }

    [Fact]
    public async Task Settings_of_topics_and_brokers_are_shown_and_changed()
    {
        await DoneAsync("topics", "create", "work", "--set", "retention.ms=5000");
        Assert.Equal(["SETTING       VALUE  FROM", "retention.ms  5000   topic"], Lines(await DoneAsync("topics", "configs", "work")));
        Assert.Contains("segment.bytes", await DoneAsync("configs", "list", "--topic", "work", "--all"), StringComparison.Ordinal);
        Assert.Equal("set max.connections=500\n", await DoneAsync("configs", "alter", "--broker", "1", "--set", "max.connections=500"));
        Assert.Matches("max.connections +500 +broker, changed", await DoneAsync("configs", "list", "--broker", "1"));
        Assert.Equal("unset max.connections\n", await DoneAsync("configs", "alter", "--broker", "1", "--unset", "max.connections"));
        await DoneAsync("configs", "alter", "--brokers", "--set", "log.retention.ms=77");
        Assert.Matches("log.retention.ms +77 +all brokers, changed", await DoneAsync("configs", "list", "--brokers"));
        await RefusedAsync("one of --topic TOPIC, --broker N or --brokers", "configs", "list");
        await RefusedAsync("nothing to change", "configs", "alter", "--topic", "work");
    }

    [Fact]
    public async Task Group_is_set_back_and_forth_when_told_to_execute()
    {
        await _workspace.RunAsync("1\n2\n3\n"u8.ToArray(), "produce", "work", "--partition", "0", "--bootstrap", _bootstrap);
        await DoneAsync("consume", "work", "--group", "readers", "--from-beginning", "--limit", "3");
        (int status, string shown, string errors) = await RunAsync("groups", "reset-offsets", "readers", "--shift-by", "-2");
        Assert.Equal((0, "nothing was changed: --execute sets these offsets\n"), (status, errors));
        Assert.Equal(["TOPIC  PARTITION  COMMITTED  NEW", "work           0          3    1"], Lines(shown));
        Assert.Equal(["TOPIC  PARTITION  COMMITTED  NEW", "work           0          3    1"], Lines(await DoneAsync("groups", "reset-offsets", "readers", "--topic", "work:0", "--to-offset", "1", "--execute")));
        Assert.Equal("2\n", await DoneAsync("consume", "work", "--group", "readers", "--limit", "1"));
        Assert.Matches("work +0 +2 +0", await DoneAsync("groups", "reset-offsets", "readers", "--by-duration", "1h", "--execute"));
        await RefusedAsync("requires one of the following scenarios", "groups", "reset-offsets", "readers");
        await RefusedAsync("is no duration", "groups", "reset-offsets", "readers", "--by-duration", "soon");
        Assert.Equal("readers: deleted its offsets of work\n", await DoneAsync("groups", "delete-offsets", "readers", "--topic", "work"));
        Assert.DoesNotContain("work", await DoneAsync("groups", "describe", "readers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_come_out_as_they_went_in()
    {
        byte[] lines = [.. "first\n"u8, 0xff, 0x00, 0x80, .. "\n\nlast"u8];
        (int Status, string Output, string Errors) sent = await _workspace.RunAsync(lines, "produce", "notes", "--bootstrap", _bootstrap);
        Assert.Equal((0, "sent 4 records to notes\n"), (sent.Status, sent.Errors));
        string[] json = Lines(await DoneAsync("consume", "notes", "--from-beginning", "--until-end", "--output", "json"));
        Assert.Equal(4, json.Length);
        Assert.Contains("\"value\":\"first\"", json[0], StringComparison.Ordinal);
        Assert.Contains($"\"value\":{{\"base64\":\"{Convert.ToBase64String([0xff, 0, 0x80])}\"}}", json[1], StringComparison.Ordinal);
        Assert.Contains("\"value\":\"\"", json[2], StringComparison.Ordinal);
        Assert.Contains("\"value\":\"last\"", json[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_and_partitions_are_kept()
    {
        await DoneAsync("topics", "create", "pairs", "--partitions", "4");
        await _workspace.RunAsync("a:1\nb:2\n"u8.ToArray(), "produce", "pairs", "--key-separator", ":", "--partition", "2", "--bootstrap", _bootstrap);
        string json = await DoneAsync("consume", "pairs", "--from-beginning", "--limit", "2", "--output", "json");
        Assert.Contains("\"partition\":2,\"offset\":0", json, StringComparison.Ordinal);
        Assert.Contains("\"key\":\"a\",\"headers\":{},\"value\":\"1\"", json, StringComparison.Ordinal);
        Assert.Contains("\"key\":\"b\",\"headers\":{},\"value\":\"2\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Group_goes_on_where_it_committed_and_shows_its_lag()
    {
        await _workspace.RunAsync("1\n2\n3\n"u8.ToArray(), "produce", "work", "--partition", "0", "--bootstrap", _bootstrap);
        Assert.Equal("1\n2\n", await DoneAsync("consume", "work", "--group", "readers", "--from-beginning", "--limit", "2"));
        string described = await DoneAsync("groups", "describe", "readers");
        Assert.StartsWith("readers: Empty, 0 members", described, StringComparison.Ordinal);
        Assert.Matches("work +0 +2 +3 +1 ", described);
        Assert.Contains("readers", await DoneAsync("groups", "list"), StringComparison.Ordinal);
        Assert.Equal("3\n", await DoneAsync("consume", "work", "--group", "readers", "--from-beginning", "--limit", "1"));
        Assert.Equal("deleted readers\n", await DoneAsync("groups", "delete", "readers"));
        await RefusedAsync("^logpipe groups delete: readers: there is no such group \\(error 69\\)\n$", "groups", "delete", "readers");
    }

    [Fact]
    public async Task Broker_stops_clean_and_keeps_its_records()
    {
        await _workspace.RunAsync("kept\n"u8.ToArray(), "produce", "notes", "--bootstrap", _bootstrap);
        Assert.Equal(0, await _broker!.TerminateAsync());
        await InitializeAsync();
        Assert.Equal("kept\n", await DoneAsync("consume", "notes", "--from-beginning", "--until-end"));
    }

    private async Task RefusedAsync(string message, params string[] arguments)
    {
        (int status, string _, string errors) = await RunAsync(arguments);
        Assert.Equal(2, status);
        Assert.Matches(message, errors);
    }

    private async Task<string> DoneAsync(params string[] arguments)
    {
        (int status, string? output, string? errors) = await RunAsync(arguments);
        Assert.True(status == 0, $"{string.Join(' ', arguments)} gave {status}: {errors}");
        return output;
    }

    private Task<(int Status, string Output, string Errors)> RunAsync(params string[] arguments) => _workspace.RunAsync([.. arguments, "--bootstrap", _bootstrap]);

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
