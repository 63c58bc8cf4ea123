namespace LogPipeline.Agent.Shipping;

/// <summary>Where a file's lines go: one log's open batch.</summary>
internal interface ILineTarget
{
    /// <summary>Whether a batch may be begun now.</summary>
    bool CanAccept { get; }

    /// <summary>The batch that lines are added to.</summary>
    OpenBatch Open { get; }

    /// <summary>Seals the open batch and puts it under way.</summary>
    void CloseBatch();
}
