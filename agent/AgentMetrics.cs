using System.Diagnostics.Metrics;
using LogPipeline.Agent.State;

namespace LogPipeline.Agent;

/// <summary>The meter <c>LogPipeline.Agent</c>.</summary>
internal sealed class AgentMetrics : IDisposable
{
    /// <summary>Reasons of <see cref="LeftOutLines"/>.</summary>
    public static readonly KeyValuePair<string, object?> Filtered = new("reason", "filtered");
    public static readonly KeyValuePair<string, object?> Limited = new("reason", "rate_limited");
    public static readonly KeyValuePair<string, object?> Withheld = new("reason", "withheld");

    private readonly Meter _meter = new("LogPipeline.Agent");

    public AgentMetrics(
        Func<IEnumerable<Measurement<long>>> lag, Func<long> filesOpen, Func<long> filesWaiting, Func<long> unackedBytes, Func<long> paused,
        Func<long>? problems = null, Func<long>? spoolBytes = null, Func<long>? dropped = null, Func<long>? deleted = null)
    {
        Lines = _meter.CreateCounter<long>("logpipe_agent_lines_total", description: "Records put into batches: lines and parts of long lines.");
        Bytes = _meter.CreateCounter<long>("logpipe_agent_bytes_total", "By", "Bytes of their values.");
        Batches = _meter.CreateCounter<long>("logpipe_agent_batches_total", description: "Batches acked.");
        AckedRecords = _meter.CreateCounter<long>("logpipe_agent_acked_records_total", description: "Records acked.");
        AckedBytes = _meter.CreateCounter<long>("logpipe_agent_acked_bytes_total", "By", "Bytes of batches acked, compressed.");
        Truncations = _meter.CreateCounter<long>("logpipe_agent_truncations_total", description: "Files found cut.");
        GenerationsBegun = _meter.CreateCounter<long>("logpipe_agent_generations_total", description: "Lives of files begun.");
        Resent = _meter.CreateCounter<long>("logpipe_agent_resent_batches_total", description: "Batches made anew after a fence.");
        Fences = _meter.CreateCounter<long>("logpipe_agent_fences_total", description: "Producers fenced and logs read back.");
        DeadLetters = _meter.CreateCounter<long>("logpipe_agent_dead_letters_total", description: "Records that a broker refuses for good.");
        Unreadable = _meter.CreateCounter<long>("logpipe_agent_unreadable_paths_total", description: "Paths that turned unreadable.");
        LostBytes = _meter.CreateCounter<long>("logpipe_agent_lost_bytes_total", "By", "Bytes that were seen in a file and cut or deleted before they were read.");
        MissedFiles = _meter.CreateCounter<long>("logpipe_agent_missed_files_total", description: "Files that were deleted, or compressed beyond reading, before they were ever opened.");
        PackedFiles = _meter.CreateCounter<long>("logpipe_agent_packed_files_total", description: "Deleted files that are kept compressed until their lines can be sent.");
        NulBytes = _meter.CreateCounter<long>("logpipe_agent_nul_bytes_total", "By", "NUL bytes before a line that were left out.");
        LeftOutLines = _meter.CreateCounter<long>("logpipe_agent_left_out_lines_total", description: "Lines of which no record is made because the configuration says so.");
        LeftOutLines.Add(0, Filtered);
        LeftOutLines.Add(0, Limited);
        LeftOutLines.Add(0, Withheld);
        MisfitLines = _meter.CreateCounter<long>("logpipe_agent_misfit_lines_total", description: "Lines that are not of their input's format, passed on as they are.");
        ReplacedCharacters = _meter.CreateCounter<long>("logpipe_agent_replaced_characters_total", description: "Byte sequences that are no character of a file's encoding.");
        LeftOutFiles = _meter.CreateCounter<long>("logpipe_agent_files_left_out_total", description: "Files that a pattern names and that are compressed.");
        foreach (Counter<long> counter in (Counter<long>[])
            [Lines, Bytes, Batches, AckedRecords, AckedBytes, Truncations, GenerationsBegun, Resent, Fences, DeadLetters, Unreadable, LostBytes, MissedFiles, NulBytes, LeftOutFiles, ReplacedCharacters, MisfitLines])
        {
            counter.Add(0); // so that each is there from the start
        }
        _meter.CreateObservableGauge("logpipe_agent_files_waiting", filesWaiting, description: "Files with unread lines that could not be held open.");
        _meter.CreateObservableGauge("logpipe_agent_lag_bytes", lag, "By", "Bytes of a file that are not acked.");
        _meter.CreateObservableGauge("logpipe_agent_files_open", filesOpen, description: "Files held open.");
        _meter.CreateObservableGauge("logpipe_agent_deleted_bytes", deleted ?? (static () => 0), "By", "Unread bytes of files that are deleted and held open until they are read.");
        _meter.CreateObservableGauge("logpipe_agent_unacked_bytes", unackedBytes, "By", "Bytes of batches under way.");
        _meter.CreateObservableGauge("logpipe_agent_problems", problems ?? (static () => 0), description: "Reasons for which /healthz is not ok.");
        _meter.CreateObservableGauge("logpipe_agent_spool_bytes", spoolBytes ?? (static () => 0), "By", "Bytes of inputs that are no files, kept until they are acked.");
        _meter.CreateObservableCounter("logpipe_agent_source_dropped_total", dropped ?? (static () => 0), description: "Datagrams and samples that found no room in their spool, and messages and connections that are refused.");
        _meter.CreateObservableGauge("logpipe_agent_state_paused", paused, description: "1 while the agent's own files cannot be written.");
    }

    public Counter<long> Lines { get; }

    public Counter<long> Bytes { get; }

    public Counter<long> Batches { get; }

    public Counter<long> AckedRecords { get; }

    public Counter<long> AckedBytes { get; }

    public Counter<long> Truncations { get; }

    public Counter<long> GenerationsBegun { get; }

    public Counter<long> Resent { get; }

    public Counter<long> Fences { get; }

    public Counter<long> DeadLetters { get; }

    public Counter<long> Unreadable { get; }

    public Counter<long> LostBytes { get; }

    public Counter<long> MissedFiles { get; }

    public Counter<long> PackedFiles { get; }

    public Counter<long> NulBytes { get; }

    public Counter<long> LeftOutFiles { get; }

    /// <summary>Records acked since the start.</summary>
    public long TotalRecords { get; private set; }

    /// <summary>Bytes of batches acked since the start, compressed.</summary>
    public long TotalBytes { get; private set; }

    public Counter<long> ReplacedCharacters { get; }

    public Counter<long> MisfitLines { get; }

    public Counter<long> LeftOutLines { get; }

    public void Acked(InflightEntry entry)
    {
        TotalRecords += entry.RecordCount;
        TotalBytes += entry.Batch.Length;
        Batches.Add(1);
        AckedRecords.Add(entry.RecordCount);
        AckedBytes.Add(entry.Batch.Length);
    }

    public void Dispose() => _meter.Dispose();
}
