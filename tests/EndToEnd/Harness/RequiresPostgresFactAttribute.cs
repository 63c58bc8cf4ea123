using LogPipeline.Testing;

namespace LogPipeline.EndToEnd.Harness;

/// <summary>Skips, and says so, where PostgreSQL is not installed, or where Apache Kafka was asked for and is not there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresPostgresFactAttribute : FactAttribute
{
    public RequiresPostgresFactAttribute()
    {
        if (PostgresServer.FindBinaries() is null)
        {
            Skip = "PostgreSQL is not installed: apt-get install postgresql";
        }
        else if (Environment.GetEnvironmentVariable("LOGPIPE_E2E_BROKER") == "kafka" && Programs.KafkaScript is null)
        {
            Skip = "Apache Kafka is not here: set LOGPIPE_PEERS to the folder that holds kafka.sh";
        }
    }
}
