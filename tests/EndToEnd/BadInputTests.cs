using System.Net.Sockets;
using LogPipeline.EndToEnd.Harness;
using LogPipeline.Testing;

namespace LogPipeline.EndToEnd;

/// <summary>What people do wrong gets one clear line and a status, and no stack trace.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Unknown_key_stops_the_start_and_names_the_nearest()
    {
        _workspace.Configure("agent:\n  inputs:\n    - pathes: [/var/log/a]\n      topic: t\n");
        foreach (string? verb in new[] { "agent", "up", "sink", "broker" })
        {
            await RefusedAsync(2, $"logpipe {verb}: logpipe.yaml:3: unknown key 'pathes' under agent.inputs[0]; did you mean 'paths'?", verb);
        }
        (int status, string _, string? errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, []);
        Assert.Equal((2, "logpipe-agent: logpipe.yaml:3: unknown key 'pathes' under agent.inputs[0]; did you mean 'paths'?\n"), (status, errors));
    }

    [Fact]
    public async Task Port_in_use_is_one_line()
    {
        using var other = new TcpListener(System.Net.IPAddress.Loopback, 0);
        other.Start();
        string line = await OneLineAsync(2, "broker", "--data", "data", "--listen", other.LocalEndpoint.ToString()!, "--log-level", "none");
        Assert.Contains(other.LocalEndpoint.ToString()!, line, StringComparison.Ordinal);
        Assert.Contains("in use", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Directory_of_a_running_broker_is_refused()
    {
        await using RealProcess first = _workspace.Start("broker", "--data", "data", "--listen", "127.0.0.1:0", "--log-level", "none");
        await first.ReadyAsync();
        string line = await OneLineAsync(2, "broker", "--data", "data", "--listen", "127.0.0.1:0", "--log-level", "none");
        Assert.Contains("lock", line, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Unknown_broker_setting_is_refused()
    {
        string line = await OneLineAsync(2, "broker", "--data", "data", "--listen", "127.0.0.1:0", "--set", "num.partitons=4", "--log-level", "none");
        Assert.Contains("num.partitions", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broker_that_is_not_there_is_status_3()
    {
        string bootstrap = $"127.0.0.1:{Ports.Free()}";
        string line = await OneLineAsync(3, "topics", "list", "--bootstrap", bootstrap);
        Assert.Contains(bootstrap, line, StringComparison.Ordinal);
    }

    [RequiresPostgresFact]
    public async Task Refused_login_is_one_line()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", "127.0.0.1:0", "--log-level", "none");
        string bootstrap = (await broker.ReadyAsync()).Split(' ')[^1];
        _workspace.Configure($$"""
            sinks:
              - name: web_log
                bootstrap: {{bootstrap}}
                topics: [web_log]
                postgres: { connection: "{{postgres.Connection(user: "nobody")}}" }
            """);
        string line = await OneLineAsync(2, "sink", "--log-level", "none");
        Assert.Contains("nobody", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garbage_on_the_brokers_port_disturbs_nobody()
    {
        string admin = $"127.0.0.1:{Ports.Free()}";
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", "127.0.0.1:0", "--admin", admin, "--log-level", "none");
        string bootstrap = (await broker.ReadyAsync()).Split(' ')[^1];
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(System.Net.IPEndPoint.Parse(bootstrap));
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n"u8.ToArray());
            // Closed by the broker: the read ends, by an end or a reset.
            Assert.Equal(0, await ReadToCloseAsync(client.GetStream()));
        }
        Assert.Equal(0, (await _workspace.RunAsync("topics", "list", "--bootstrap", bootstrap)).Status);
        using var http = new HttpClient();
        Assert.Matches("(?m)^logpipe_broker_bad_frames_total(\\{[^}]*\\})? 1$", await http.GetStringAsync(new Uri($"http://{admin}/metrics")));
    }

    private static async Task<int> ReadToCloseAsync(NetworkStream stream)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            return await stream.ReadAsync(new byte[16], time.Token);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private async Task RefusedAsync(int status, string expected, params string[] arguments) => Assert.Equal(expected, await OneLineAsync(status, arguments));

    private async Task<string> OneLineAsync(int expected, params string[] arguments)
    {
        (int status, string? output, string? errors) = await _workspace.RunAsync(arguments);
        Assert.True(status == expected, $"{string.Join(' ', arguments)} gave {status}: {errors}");
        Assert.Empty(output);
        return Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
