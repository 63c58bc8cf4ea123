using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Files;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Verification.Outputs;

namespace LogPipeline.Sinks.Verification;

/// <summary>Compares the agent's files, the topic and what the sink stored, and names each hole or repeat and its side. Reads only.</summary>
public sealed class Verifier
{
    private readonly SinkOptions _options;
    private readonly IConnector _connector;
    private readonly IFileSystem _files;
    private readonly TimeProvider _time;
    private readonly Random _random;

    /// <summary>So many lines of files are looked into at a time, where they differ from the topic.</summary>
    internal long SliceLines { get; init; } = 1 << 20;

    /// <summary>Where agents publish their status, which tells why lines are in no record; null = nowhere.</summary>
    public string? StatusTopic { get; init; }

    public Verifier(SinkOptions options, IConnector connector, IFileSystem files, TimeProvider time, Random random)
    {
        options.Validate();
        (_options, _connector, _files, _time, _random) = (options, connector, files, time, random);
    }

    /// <summary>Pins the ledger's next offsets and compares all below them.</summary>
    /// <exception cref="LogUnreadableException">The topic holds a batch that cannot be read.</exception>
    /// <param name="progress">Called now and then with the rows compared so far.</param>
    public async Task<VerifyReport> RunAsync(Action<long>? progress, CancellationToken cancellation)
    {
        var client = new ClientOptions { Bootstrap = [.. _options.Bootstrap.Split(',', StringSplitOptions.TrimEntries)], ClientId = "logpipe-verify", AutoCreateTopics = false };
        await using var cluster = new ClusterClient(client, _connector, _time, _random);
        string clusterId = (await new AdminClient(cluster).DescribeClusterAsync(cancellation)).ClusterId;
        var topic = new TopicSide(cluster, _files, _time, _random, StatusTopic);
        if (_options.Files is not null)
        {
            return await new OutputVerification(_options, topic, _files, SliceLines).RunAsync(clusterId, progress, cancellation);
        }
        await using ISqlDialect dialect = SinkStores.DialectOf(_options, _time)!; // a sink without files has a database
        return await new TableVerification(_options, dialect, topic).RunAsync(clusterId, progress, cancellation);
    }
}
