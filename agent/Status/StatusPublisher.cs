using System.Text;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract.Reports;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Status;

/// <summary>
/// Publishes the agent's report to the status topic every 10 s, when its health changes and when it stops: one record, keyed by the agent id. It is best
/// effort and keeps nothing: a record that cannot be sent is dropped, the next says more. It has connections of its own and no producer id,
/// so that the lines' batches never wait for it.
/// </summary>
internal sealed class StatusPublisher(
    string topic, AgentReporter reporter, AgentMonitor monitor, ClusterClient cluster, AgentState state, TimeProvider time, ILogger logger)
{
    /// <summary>Files in a record, those that are most behind.</summary>
    private const int FilesMax = 100;

    private const int RecordBytesMax = 256 << 10;

    /// <summary>How long a record is kept, and how long one of the topic's segments is written to: a topic of this size needs no more.</summary>
    private static readonly KeyValuePair<string, string>[] TopicSettings =
        [KeyValuePair.Create("retention.ms", "3600000"), KeyValuePair.Create("segment.ms", "600000")];

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long the record that the agent has stopped may hold up its stop.</summary>
    private static readonly TimeSpan LastRecordTime = TimeSpan.FromSeconds(1);

    private string _trouble = "";
    private bool _isPublished;

    /// <summary>How this client reaches the cluster: it never creates a topic by naming it, since the topic needs its settings.</summary>
    public static ClientOptions ClientOptionsOf(AgentOptions options, BrokerWatch brokers) => new()
    {
        Bootstrap = options.Bootstrap,
        ClientId = "logpipe-agent-status",
        RequestTimeout = RequestTimeout,
        LookupTimeout = RequestTimeout,
        AutoCreateTopics = false,
        Tried = brokers.Tried,
    };

    public async Task RunAsync(CancellationToken stopped)
    {
        while (true)
        {
            try
            {
                await PublishAsync(reporter.Brief(FilesMax), stopped);
                (_trouble, _isPublished) = ("", true);
            }
            catch (Exception fault) when (!stopped.IsCancellationRequested)
            {
                // That a broker cannot be reached was told already.
                if (fault.Message != _trouble && fault is not BrokerUnreachableException)
                {
                    logger.StatusNotPublished(topic, fault.Message);
                }
                (_trouble, _isPublished) = (fault.Message, false);
            }
            await monitor.HealthChanged.WaitAsync(Interval, time, stopped);
        }
    }

    /// <summary>Says that the agent has stopped, if that can be said at once, and lets go of the connections. <see cref="RunAsync"/> is over by then.</summary>
    public async Task StopAsync()
    {
        await using ClusterClient own = cluster;
        if (!_isPublished)
        {
            return;
        }
        using var timeout = new CancellationTokenSource(LastRecordTime, time);
        try
        {
            await PublishAsync(reporter.Brief(FilesMax) with { State = AgentStates.Stopped }, timeout.Token);
        }
        catch (Exception fault)
        {
            logger.StatusNotPublished(topic, timeout.IsCancellationRequested ? "the broker did not answer that the agent has stopped" : fault.Message);
        }
    }

    private async Task PublishAsync(AgentReport report, CancellationToken stopped)
    {
        TopicMetadata found = await FindTopicAsync(stopped);
        BrokerConnection connection = await cluster.LeaderAsync(topic, 0, stopped);
        var leader = new PartitionLeader(connection, new TopicPartition(topic, 0), found.TopicId, RequestTimeout);
        ProduceAnswer answer = await leader.ProduceAsync(Batch(report), stopped);
        if (answer.Error != ErrorCode.None)
        {
            cluster.Invalidate(topic);
            throw new BrokerErrorException(answer.Error, $"{answer.Error} {answer.Message}".TrimEnd());
        }
    }

    private async Task<TopicMetadata> FindTopicAsync(CancellationToken stopped)
    {
        try
        {
            return await cluster.TopicAsync(topic, refresh: false, stopped);
        }
        catch (BrokerErrorException missing) when (missing.Code == ErrorCode.UnknownTopicOrPartition)
        {
            Outcome made = (await new AdminClient(cluster).CreateTopicsAsync([new NewTopic(topic, 1, Configs: TopicSettings)], stopped))[0];
            return made.Error is ErrorCode.None or ErrorCode.TopicAlreadyExists
                ? await cluster.TopicAsync(topic, refresh: true, stopped)
                : throw new BrokerErrorException(made.Error, $"it cannot be made: {made.Error} {made.Message}".TrimEnd());
        }
    }

    private byte[] Batch(AgentReport report)
    {
        byte[] value = ReportJson.Write(report);
        for (int files = Math.Max(report.Files.Count, report.LeftOut.Count); value.Length > RecordBytesMax && files > 0;)
        {
            files /= 2; // paths may be long
            value = ReportJson.Write(report with { Files = [.. report.Files.Take(files)], LeftOut = [.. report.LeftOut.TakeLast(files)] });
        }
        using var builder = new RecordBatchBuilder(CompressionCodec.Lz4, RecordBytesMax);
        builder.TryAppend(
            report.Time, hasKey: true, Encoding.ASCII.GetBytes(state.AgentId.ToString()), hasValue: true, value, headerCount: 0, default);
        return builder.Build().ToArray();
    }
}
