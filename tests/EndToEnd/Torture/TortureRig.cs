using System.Globalization;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Torture;

/// <summary>A broker and an agent as processes, one log, and kcat, which says what the topic holds.</summary>
internal sealed class TortureRig : IAsyncDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(5);

    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";
    private readonly List<string> _said = [];
    private RealProcess? _broker;
    private RealProcess? _agent;

    public string LogPath => _workspace.File("logs/app.log");

    /// <summary>What all agents wrote to standard error.</summary>
    public string Errors => string.Concat(_said) + _agent?.Errors;

    /// <param name="pattern">What the agent reads below the directory of the log.</param>
    public static async Task<TortureRig> BeginAsync(string pattern)
    {
        var rig = new TortureRig();
        Directory.CreateDirectory(rig._workspace.File("logs"));
        rig._workspace.Configure($"agent: {{ bootstrap: \"{rig._bootstrap}\", state: state, inputs: [ {{ paths: [logs/{pattern}], topic: t }} ] }}");
        await rig.StartBrokerAsync();
        return rig;
    }

    public async Task StartBrokerAsync()
    {
        _broker = _workspace.Start("broker", "--data", "broker", "--listen", _bootstrap, "--set", "num.partitions=1", "--log-level", "warning");
        await _broker.ReadyAsync();
    }

    public Task KillBrokerAsync() => _broker!.KillAsync();

    public async Task StartAgentAsync()
    {
        _agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await _agent.ReadyAsync();
    }

    /// <summary>Writes so many lines, and starts an agent that sends them.</summary>
    public async Task StartAgentOnAsync(NumberedLog log, int lines)
    {
        await log.WriteAsync(lines, 0);
        await StartAgentAsync();
        await UntilSentAsync(lines);
    }

    /// <summary>Waits until the topic holds so many records.</summary>
    public Task UntilSentAsync(int lines) => Deadline.UntilAsync(TimeSpan.FromMinutes(1), async () => await EndOffsetAsync() >= lines, () => Errors);

    /// <summary>Holds the agent up, as a busy machine does, while something is done.</summary>
    public async Task WhileFrozenAsync(Func<Task> work)
    {
        _agent!.Freeze();
        await work();
        _agent.Continue();
    }

    public async Task KillAgentAsync()
    {
        await _agent!.KillAsync();
        _said.Add(_agent.Errors);
    }

    public async Task StopAgentAsync()
    {
        Assert.Equal(0, await _agent!.TerminateAsync());
        _said.Add(_agent.Errors);
    }

    /// <summary>Waits until the topic holds so many records, then holds each number against it: each line is there once.</summary>
    public async Task EachOnceAsync(int lines)
    {
        await Deadline.UntilAsync(Within, async () => await EndOffsetAsync() >= lines, () => Errors);
        int[] seen = [];
        await Deadline.UntilAsync(Within, async () => (seen = await SeenAsync(lines)).All(static count => count > 0), () =>
            $"{seen.Count(static count => count == 0)} lines are missing, the first is {Array.IndexOf(seen, 0)}: {Errors}");
        // What is under way may still come twice.
        await StopAgentAsync();
        seen = await SeenAsync(lines);
        Assert.True(seen.All(static count => count == 1), $"{seen.Count(static count => count > 1)} lines are there more than once: {Errors}");
    }

    public async Task<long> EndOffsetAsync()
    {
        (int status, string output, _) = await RealProcess.RunAsync("kcat", _workspace.Folder, ["-Q", "-b", _bootstrap, "-t", "t:0:-1"]);
        return status == 0 && output.LastIndexOf(' ') is > 0 and int at ? long.Parse(output.AsSpan(at), NumberStyles.Integer, CultureInfo.InvariantCulture) : 0;
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
        _workspace.Dispose();
    }

    private async Task<int[]> SeenAsync(int lines)
    {
        int[] seen = new int[lines];
        (int status, string output, string errors) = await RealProcess.RunAsync(
            "sh", _workspace.Folder, ["-c", $"kcat -C -q -e -b {_bootstrap} -t t -o beginning | cut -c 1-9 | grep ."], within: Within);
        Assert.True(status == 0, errors);
        foreach (string number in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            seen[int.Parse(number, CultureInfo.InvariantCulture)]++;
        }
        return seen;
    }
}
