namespace LogPipeline.Client.Admin;

/// <summary>What configurations belong to.</summary>
public enum ConfigResourceType
{
    Topic = 2,
    Broker = 4,
}
