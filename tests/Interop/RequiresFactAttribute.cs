namespace LogPipeline.Interop;

/// <summary>
/// A test that needs programs of others. Where one is missing it is skipped, loudly, with what to install; with CI=true it is
/// not skipped but fails, so that a build machine cannot lose it unnoticed.
/// </summary>
public sealed class RequiresFactAttribute : FactAttribute
{
    public RequiresFactAttribute(params string[] programs)
    {
        string[] missing = [.. programs.Where(program => ForeignProgram.Find(program) is null)];
        if (missing.Length > 0 && Environment.GetEnvironmentVariable("CI") != "true")
        {
            Skip = $"NOT RUN: {string.Join(", ", missing)} is not installed. {ForeignProgram.Hint}";
        }
    }
}

/// <summary>A test against Apache Kafka's own tools, which no package brings: skipped, loudly, where they are missing.</summary>
public sealed class RequiresKafkaFactAttribute : FactAttribute
{
    public RequiresKafkaFactAttribute()
    {
        if (ForeignProgram.KafkaTools is null)
        {
            Skip = "NOT RUN: Apache Kafka's tools are not here. Set LOGPIPE_KAFKA_TOOLS to a script that runs them: SCRIPT 4.2 TOOL ARGUMENT…";
        }
    }
}
