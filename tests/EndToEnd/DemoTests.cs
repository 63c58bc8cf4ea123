using System.Globalization;
using System.Text.Json;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>What a new user sees: the demonstration, and the verbs that it tells to try.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _broker = $"127.0.0.1:{Ports.Free()}";
    private readonly string _admin = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Rows_are_there_and_every_verb_answers()
    {
        await using RealProcess demo = Demo();
        await demo.LineAsync(line => line.StartsWith("ready: sink web_log (sqlite)", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        await Deadline.UntilAsync(TimeSpan.FromSeconds(30), async () => (await RowsAsync("--limit", "5")).Count == 5, () => demo.Errors);
        Assert.Equal([$"ready: broker on {_broker}", "ready: demo writes data/demo/access.log", "ready: agent, 1 file", "ready: sink web_log (sqlite)"],
            demo.Output.Where(line => line.StartsWith("ready: ", StringComparison.Ordinal)));

        await FormatsAgreeAsync();
        await TailFollowsAsync();
        Assert.Matches("(?m)^web_log +4? *[0-9]", (await DoneAsync("topics", "list")));
        Assert.Contains("web_log", await DoneAsync("groups", "list"), StringComparison.Ordinal);
        Assert.EndsWith("each line once\n", await DoneAsync("verify"), StringComparison.Ordinal);
        using var http = new HttpClient();
        Assert.Matches("(?m)^logpipe_agent_lines_total(\\{[^}]*\\})? [1-9]", await http.GetStringAsync(new Uri($"http://{_admin}/metrics")));
        Assert.Contains("broker: ok\n", await http.GetStringAsync(new Uri($"http://{_admin}/healthz")), StringComparison.Ordinal);

        int status = await demo.TerminateAsync();
        Assert.True(status == 0, $"status {status}: {demo.Errors}");
    }

    [Fact]
    public async Task Next_start_goes_on_where_it_stopped()
    {
        await using (RealProcess first = Demo())
        {
            await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () => (await RowsAsync("--limit", "20")).Count == 20, () => first.Errors);
            await first.KillAsync();
        }
        await using RealProcess second = Demo();
        await second.LineAsync(line => line.StartsWith("ready: sink", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        int before = (await RowsAsync("--limit", "0")).Count;
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () => (await RowsAsync("--limit", "0")).Count > before, () => second.Errors);
        Assert.EndsWith("each line once\n", await DoneAsync("verify"), StringComparison.Ordinal);
    }

    private async Task FormatsAgreeAsync()
    {
        // A time in the past pins the rows: none is added while they are read three times.
        string until = DateTimeOffset.UtcNow.AddSeconds(-2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string[] query = ["query", "status>=200", "status<600", "--text", "HTTP/1.1", "--until", until, "--columns", "time,status,path,line", "--limit", "3"];
        var json = JsonDocument.Parse(await DoneAsync([.. query, "--output", "json"])).RootElement.EnumerateArray().ToList();
        string[] csv = (await DoneAsync([.. query, "--output", "csv"])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string table = await DoneAsync(query);
        Assert.Equal(json.Count + 1, csv.Length);
        foreach ((JsonElement row, string? line) in json.Zip(csv.Skip(1)))
        {
            Assert.Contains(row.GetProperty("path").GetString()!, line, StringComparison.Ordinal);
            Assert.Contains(row.GetProperty("line").GetString()!, table, StringComparison.Ordinal);
            Assert.InRange(row.GetProperty("status").GetInt32(), 200, 599);
        }
        Assert.Empty(JsonDocument.Parse(await DoneAsync("query", "status=999", "--output", "json")).RootElement.EnumerateArray());
        Assert.Equal("web_log: looked for in the lines; --sink web_log says which sink's rows are meant\n", (await RunAsync("query", "web_log")).Errors);
        Assert.Equal("web_log: looked for in the lines; --sink web_log says which sink's rows are meant\n", (await RunAsync("tail", "web_log", "--limit", "0")).Errors);
        (int Status, string Output, string Errors) wrong = await RunAsync("query", "staus>=500");
        Assert.Equal(2, wrong.Status);
        Assert.Contains("staus", wrong.Errors, StringComparison.Ordinal);
    }

    private async Task TailFollowsAsync()
    {
        string[] lines = (await DoneAsync("tail", "--last", "0", "--limit", "5", "--output", "jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var offsets = lines.Select(line => JsonDocument.Parse(line).RootElement).Select(row => (row.GetProperty("partition").GetInt32(), row.GetProperty("log_offset").GetInt64())).ToList();
        Assert.Equal(5, offsets.Distinct().Count());
    }

    private async Task<List<JsonElement>> RowsAsync(params string[] arguments)
    {
        (int status, string? output, string _) = await RunAsync(["query", "--output", "json", .. arguments]);
        return status == 0 ? [.. JsonDocument.Parse(output).RootElement.EnumerateArray()] : [];
    }

    private RealProcess Demo() => RealProcess.Start(Programs.Logpipe, _workspace.Folder, ["up", "--demo"], Elsewhere);

    private async Task<string> DoneAsync(params string[] arguments)
    {
        (int status, string? output, string? errors) = await RunAsync(arguments);
        Assert.True(status == 0, $"{string.Join(' ', arguments)} gave {status}: {output}{errors}");
        return output;
    }

    private async Task<(int Status, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        await using var process = RealProcess.Start(Programs.Logpipe, _workspace.Folder, arguments, Elsewhere);
        int status = await process.ExitAsync(TimeSpan.FromSeconds(60));
        return (status, string.Concat(process.Output.Select(line => line + "\n")), process.Errors);
    }

    // The demonstration's ports may be in use here.
    private IEnumerable<KeyValuePair<string, string>> Elsewhere =>
    [
        KeyValuePair.Create("LOGPIPE__BROKER__LISTEN", _broker),
        KeyValuePair.Create("LOGPIPE__AGENT__BOOTSTRAP", _broker),
        KeyValuePair.Create("LOGPIPE__SINKS__0__BOOTSTRAP", _broker),
        KeyValuePair.Create("LOGPIPE__ADMIN__LISTEN", _admin),
    ];
}
