using System.Diagnostics;
using System.Globalization;
using LogPipeline.Benchmarks.Whole;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Benchmarks;

/// <summary>
/// <c>./test bench agent [LINES]</c>: what a backlog of access-log lines costs to ship, with lz4, acks=all and idempotence: our
/// agent as it is built and as it is packaged (self-contained, compiled ahead), and rsyslog with imfile and omkafka where it is installed; all to
/// the same broker on the same machine. Ours carries host, file and position in each record and syncs what is in flight; rsyslog
/// sends the bare line and syncs nothing.
/// </summary>
internal static class AgentBacklog
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly string Programs = Path.Combine(AppContext.BaseDirectory, "..", "..");

    public static async Task RunAsync(int lines, TextWriter to)
    {
        string folder = Directory.CreateTempSubdirectory("logpipe-bench-").FullName;
        string log = Path.Combine(folder, "logs", "web.log");
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        WebLog.Write(log, 0, lines);
        double megabytes = new FileInfo(log).Length / 1e6;
        string packaged = await PublishAsync(folder);
        using Process broker = Start(Path.Combine(Programs, "LogPipeline.Cli", "release", "logpipe"), folder, "broker", "--data", Path.Combine(folder, "broker"), "--listen", "127.0.0.1:0");
        try
        {
            string address = await ReadyAsync(broker);
            await to.WriteLineAsync($"{lines} lines, {megabytes:F0} MB          CPU s per million (user + system)   peak MB   lines/s");
            await AgentAsync("logpipe-agent, built", Path.Combine(Programs, "LogPipeline.AgentProgram", "release", "logpipe-agent"));
            await AgentAsync("logpipe-agent, packaged", packaged);
            if (File.Exists("/usr/sbin/rsyslogd"))
            {
                Directory.CreateDirectory(Path.Combine(folder, "rsyslog"));
                await File.WriteAllTextAsync(Path.Combine(folder, "rsyslog.conf"), Rsyslog(folder, log, address));
                await MeasureAsync("rsyslog + omkafka", address, "by_rsyslog", lines, to, () =>
                    Start("/usr/sbin/rsyslogd", folder, "-n", "-f", Path.Combine(folder, "rsyslog.conf"), "-i", Path.Combine(folder, "rsyslog.pid")));
            }
            else
            {
                await to.WriteLineAsync("rsyslog is not installed: apt-get install rsyslog rsyslog-kafka");
            }

            async Task AgentAsync(string name, string program)
            {
                string topic = name.Split(' ')[^1];
                string configuration = Path.Combine(folder, $"{topic}.yaml");
                await File.WriteAllTextAsync(configuration, $$"""
                    agent: { bootstrap: {{address}}, state: {{folder}}/state-{{topic}}, inputs: [{ paths: ["{{log}}"], topic: {{topic}} }] }
                    """);
                await MeasureAsync(name, address, topic, lines, to, () => Start(program, folder, "--config", configuration, "--log-level", "warning"));
            }
        }
        finally
        {
            broker.Kill();
            await broker.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(string name, string address, string topic, int lines, TextWriter to, Func<Process> start)
    {
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = [address] }, new TcpConnector(), TimeProvider.System, new Random(1));
        var admin = new AdminClient(cluster);
        await admin.CreateTopicsAsync([new NewTopic(topic, 1)], default);
        using var late = new CancellationTokenSource(Patience);
        using Process process = start();
        try
        {
            var clock = Stopwatch.StartNew();
            using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while ((await admin.OffsetAsync(new TopicPartition(topic, 0), OffsetSpec.Latest, late.Token)).Offset < lines)
            {
                await ticks.WaitForNextTickAsync(late.Token);
            }
            double seconds = clock.Elapsed.TotalSeconds;
            // The last ack and the note of it still follow.
            await Task.Delay(TimeSpan.FromSeconds(1.5), late.Token);
            process.Refresh();
            double scale = 1e6 / lines;
            await to.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{name,-26}{process.TotalProcessorTime.TotalSeconds * scale,9:F2} ({process.UserProcessorTime.TotalSeconds * scale:F2} + {process.PrivilegedProcessorTime.TotalSeconds * scale:F2}){process.PeakWorkingSet64 / 1e6,27:F0}{lines / seconds,10:F0}"));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static async Task<string> PublishAsync(string folder)
    {
        string source = Path.GetFullPath(Path.Combine(Programs, "..", "..", "agent", "Program"));
        string target = Path.Combine(folder, "packaged");
        using Process publish = Start("dotnet", folder, "publish", source, "-c", "Release", "-r", "linux-x64", "--self-contained", "-o", target, "-v", "quiet", "--nologo");
        await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        return publish.ExitCode == 0 ? Path.Combine(target, "logpipe-agent") : throw new InvalidOperationException("the agent cannot be published");
    }

    private static Process Start(string program, string folder, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;

    private static async Task<string> ReadyAsync(Process broker)
    {
        while (await broker.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("ready:", StringComparison.Ordinal))
            {
                return line.Split(' ')[^1];
            }
        }
        throw new InvalidOperationException("the broker did not start");
    }

    private static string Rsyslog(string folder, string log, string address) => $$"""
        global(workDirectory="{{folder}}/rsyslog" maxMessageSize="64k")
        module(load="imfile" mode="inotify") module(load="omkafka")
        template(name="raw" type="string" string="%msg%")
        input(type="imfile" file="{{log}}" tag="web:" ruleset="k" reopenOnTruncate="on" persistStateInterval="1000" addMetadata="off" escapeLF="off")
        ruleset(name="k" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="4096" queue.workerThreads="1") {
          action(type="omkafka" broker=["{{address}}"] topic="by_rsyslog" template="raw" partitions.auto="on" resubmitOnFailure="on" action.resumeRetryCount="-1"
            confParam=["enable.idempotence=true","acks=all","compression.codec=lz4","linger.ms=5","queue.buffering.max.messages=500000"]) }

        """;
}
