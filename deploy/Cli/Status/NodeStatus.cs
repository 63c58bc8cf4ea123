using System.Globalization;
using LogPipeline.Agent.Status;

namespace LogPipeline.Cli.Status;

/// <summary>How a process is and how fast it works, between two snapshots.</summary>
internal sealed class NodeStatus(NodeSnapshot earlier, NodeSnapshot now)
{
    public bool IsWell => now.IsWell;

    /// <summary>Each part: what it says, and what it does in a second.</summary>
    public IEnumerable<PartStatus> Parts => now.Parts.Select(part => new PartStatus(part.Part, part.State, WorkOf(part.Part)));

    /// <summary>Each partition that a sink of the process has, those that are most behind first.</summary>
    public IReadOnlyList<PartitionStatus> Partitions =>
        [.. now.Of("logpipe_sinks_lag_seconds").Select(PartitionOf)
            .OrderByDescending(static partition => partition.LagRecords).ThenBy(static partition => partition.Sink, StringComparer.Ordinal)
            .ThenBy(static partition => partition.Topic, StringComparer.Ordinal).ThenBy(static partition => partition.Partition)];

    private PartitionStatus PartitionOf(MetricSample seconds)
    {
        MetricSample? records = now.Of("logpipe_sinks_lag_records").FirstOrDefault(
            sample => sample["sink"] == seconds["sink"] && sample["topic"] == seconds["topic"] && sample["partition"] == seconds["partition"]);
        int partition = int.TryParse(seconds["partition"], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;
        return new PartitionStatus(seconds["sink"], seconds["topic"], partition, records is null ? null : (long)records.Value, seconds.Value);
    }

    private string WorkOf(string part) =>
        part == "broker" ? BrokerWork() : part == "agent" ? AgentWork() : part.StartsWith("sink ", StringComparison.Ordinal) ? SinkWork(part[5..]) : "";

    private string BrokerWork() => string.Create(CultureInfo.InvariantCulture,
        $"{Bytes("logpipe_broker_received_bytes_total")} in, {Bytes("logpipe_broker_sent_bytes_total")} out, {now.Sum("logpipe_broker_connections"):0} connections");

    private string AgentWork() => string.Create(CultureInfo.InvariantCulture,
        $"{Rate("logpipe_agent_acked_records_total")} lines/s, {ByteCount.Show((long)now.Sum("logpipe_agent_lag_bytes"))} behind, {now.Sum("logpipe_agent_files_open"):0} files open");

    private string SinkWork(string sink)
    {
        double letters = now.Sum("logpipe_sinks_dead_letters_total", sink);
        double oldest = now.Of("logpipe_sinks_lag_seconds").Where(sample => sample["sink"] == sink).Select(static sample => sample.Value).DefaultIfEmpty().Max();
        return string.Create(CultureInfo.InvariantCulture, $"{Rate("logpipe_sinks_rows_total", sink)} rows/s, {now.Sum("logpipe_sinks_lag_records", sink):#,0} records behind")
            + (oldest > 0 ? $", the oldest {ShortTime.Brief(TimeSpan.FromSeconds(oldest))}" : "")
            + (letters > 0 ? string.Create(CultureInfo.InvariantCulture, $", {letters:#,0} dead letters since it started") : "");
    }

    private string Bytes(string counter) => $"{ByteCount.Show((long)now.Rate(counter, earlier))}/s";

    private string Rate(string counter, string? sink = null) => now.Rate(counter, earlier, sink).ToString("#,0", CultureInfo.InvariantCulture);
}

/// <summary>A part of a process.</summary>
/// <param name="Part">Its name: broker, agent, sink NAME, alerts.</param>
/// <param name="State"><c>ok</c>, what is wrong, or that somebody paused it.</param>
/// <param name="Work">What it does in a second, and how far it is behind.</param>
internal sealed record PartStatus(string Part, string State, string Work);

/// <summary>A partition that a sink stores.</summary>
/// <param name="Sink">Its sink.</param>
/// <param name="Topic">Its topic.</param>
/// <param name="Partition">Its number.</param>
/// <param name="LagRecords">Records that are not stored yet; null while that is not known.</param>
/// <param name="LagSeconds">Age of the oldest of them.</param>
internal sealed record PartitionStatus(string Sink, string Topic, int Partition, long? LagRecords, double LagSeconds);
