namespace LogPipeline.Agent.Tests.Scripted;

/// <summary>What becomes of a batch.</summary>
internal enum ProduceFate
{
    Take,
    TakeThenDropConnection,
    DropConnection,
    Refuse,
}
