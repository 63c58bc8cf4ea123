namespace LogPipeline.Storage;

/// <summary>Logs were not created because the process may not open enough files for them.</summary>
public sealed class HandlesExhaustedException(int needed, int free) : IOException(
    $"{needed} partitions need {needed} file handles, and {free} are left for partitions. Raise the limit of open files (ulimit -n, "
    + "LimitNOFILE of the service) and start the broker again.");
