using System.CommandLine;
using LogPipeline.Broker;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Running;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe broker</c>: the broker alone.</summary>
internal static class BrokerVerb
{
    private static readonly RunningOptions Running = new();
    private static readonly Option<string?> Data = new("--data", "-d") { Description = "Directory of topics and offsets, made when it is not there", HelpName = "DIR" };
    private static readonly Option<string?> Listen = new("--listen", "-l") { Description = "Address to serve; port 0 takes a free one", HelpName = "HOST:PORT" };
    private static readonly Option<string?> Advertise = new("--advertise") { Description = "Address told to clients; without it the one they came in on", HelpName = "HOST:PORT" };
    private static readonly Option<string[]> Set = new("--set") { Description = "A broker setting by Kafka's name; may be repeated", HelpName = "KEY=VALUE" };

    public static Command Create()
    {
        var verb = new Verb("broker", "Run the broker: any Kafka client can produce to it and consume from it.",
            "logpipe broker --data ./data/broker --listen 127.0.0.1:9092",
            "logpipe broker --config logpipe.yaml",
            "logpipe broker --data /srv/logs --listen 0.0.0.0:9092 --set num.partitions=4 --set log.retention.hours=72")
        {
            Data, Listen, Advertise, Set, VerifyDirectoryVerb.Create(),
        };
        Running.AddTo(verb);
        verb.Serves(RunAsync);
        return verb;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        // A command line that says where the data is needs no file, so none is looked for.
        bool alone = parsed.GetValue(Running.Config) is null && parsed.GetValue(Data) is not null;
        var configuration = PipelineConfiguration.Read(alone ? ConfigurationFile.Read("", "command line", []) : ConfigurationFile.Load(parsed.GetValue(Running.Config)));
        BrokerOptions broker = configuration.Broker ?? new BrokerOptions { DataDirectory = BrokerSection.DefaultData };
        var settings = new Dictionary<string, string>(broker.Settings, StringComparer.Ordinal);
        foreach ((string? key, string? value) in Settings.Parse(parsed.GetValue(Set)))
        {
            settings[key] = value;
        }
        broker = broker with
        {
            DataDirectory = parsed.GetValue(Data) ?? broker.DataDirectory,
            Listen = parsed.GetValue(Listen) ?? broker.Listen,
            Advertise = parsed.GetValue(Advertise) ?? broker.Advertise,
            Settings = settings,
        };
        return NodeProcess.RunAsync(Running.Plan(parsed, configuration, "logpipe-broker") with { Broker = broker }, stop);
    }
}
