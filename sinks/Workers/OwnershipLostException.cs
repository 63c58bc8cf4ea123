using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Workers;

/// <summary>The ledger row is no longer as this owner left it.</summary>
internal sealed class OwnershipLostException(string message) : Exception(message)
{
    public OwnershipLostException(LogIdentity log)
        : this($"{log} was claimed by another member")
    {
    }
}
