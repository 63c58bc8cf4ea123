namespace LogPipeline.Broker.Maintenance;

/// <summary>Why records were removed.</summary>
internal enum RetentionReason
{
    /// <summary>They are beyond retention.ms or retention.bytes of their topic, or were deleted by a client.</summary>
    Limits,

    /// <summary>All logs together are beyond log.retention.total.bytes.</summary>
    Budget,
}
