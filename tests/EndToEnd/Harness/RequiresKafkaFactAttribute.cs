namespace LogPipeline.EndToEnd.Harness;

/// <summary>Skips, and says so, where Apache Kafka's own tools are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresKafkaFactAttribute : FactAttribute
{
    public RequiresKafkaFactAttribute()
    {
        if (Programs.KafkaScript is null)
        {
            Skip = "Apache Kafka is not here: set LOGPIPE_PEERS to the folder that holds kafka.sh";
        }
    }
}
