using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Contract.Reports;

namespace LogPipeline.Agent.Status;

/// <summary>Says what becomes of a followed file now, and why it is not read where it is not.</summary>
internal sealed class FileVerdicts(FileHandles handles, FileProbe probe, BrokerWatch brokers, Troubles troubles, AgentState state)
{
    /// <returns>One of <see cref="FileStates"/>, and the reason where there is something to say.</returns>
    public (string State, string? Reason) Of(TailedFile file)
    {
        Generation generation = file.Generation;
        if (generation.IsOver)
        {
            return (FileStates.Over, null);
        }
        if (probe.RefusalOf(generation.Path) is string refused)
        {
            return (FileStates.Unreadable, refused);
        }
        if (file.IsUnproved)
        {
            return (FileStates.Waiting, "it could not be compared yet with what was read of it before");
        }
        if (file.IsAtEnd && generation.Acked.Position == generation.Read.Position)
        {
            return (FileStates.Current, file.Unread > 0 ? $"its last {file.Unread} bytes are no line yet: no line feed follows them" : null);
        }
        return Obstacle(file) is string obstacle ? (FileStates.Waiting, obstacle) : (FileStates.Reading, null);
    }

    private string? Obstacle(TailedFile file)
    {
        if (state.Pause.IsPaused)
        {
            return $"the agent's state cannot be written: {state.Pause.Reason}";
        }
        if (file.Log is not LogShipper log)
        {
            string subject = $"topic {file.Generation.Topic}";
            return $"the partitions of {subject} are not known yet{Because(troubles.ReasonOf(subject) ?? brokers.Reason)}";
        }
        if (!log.IsServed)
        {
            return $"its partition is not connected{Because(brokers.Reason ?? log.Trouble)}";
        }
        if (log.Silence >= AgentMonitor.Patience)
        {
            return "its batches are sent, and the broker does not answer";
        }
        if (!file.Generation.IsDurable)
        {
            return "that it was found is not noted durably yet";
        }
        if (file.Awaited is TailedFile before)
        {
            return $"{before.Generation.Path}, which had its path before, is read first: {before.Unread} bytes of it are unread";
        }
        return handles.IsWaiting(file) ? "too many files with unread lines are open; it is read in its turn (open_files_max)" : null;
    }

    private static string Because(string? reason) => reason is null ? "" : $": {reason}";
}
