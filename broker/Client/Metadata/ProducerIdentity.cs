namespace LogPipeline.Client.Metadata;

/// <summary>What InitProducerId gave.</summary>
public readonly record struct ProducerIdentity(long ProducerId, short Epoch);
