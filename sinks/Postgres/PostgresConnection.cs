using LogPipeline.Sinks.Ledger;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>Connections as the user's connection string says, filled in with what a sink or a reader wants.</summary>
internal static class PostgresConnection
{
    /// <exception cref="SinkConfigurationException">The string cannot be read or names no host.</exception>
    public static NpgsqlConnectionStringBuilder Settings(string text, string applicationName)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(text);
        }
        catch (ArgumentException error)
        {
            throw new SinkConfigurationException($"postgres connection: {error.Message} Write it as Host=127.0.0.1;Database=logs;Username=logs;Password=…");
        }
        if (string.IsNullOrEmpty(settings.Host))
        {
            throw new SinkConfigurationException("postgres connection names no Host. Write it as Host=127.0.0.1;Database=logs;Username=logs;Password=…");
        }
        if (!settings.ContainsKey("Application Name") || string.IsNullOrEmpty(settings.ApplicationName))
        {
            settings.ApplicationName = applicationName;
        }
        // The pool is for one process's partitions: few writers fill a database better than many.
        if (!settings.ShouldSerialize("Maximum Pool Size"))
        {
            settings.MaxPoolSize = 8;
        }
        // Behind a pooler that hands a connection on after each transaction, people must be able to turn this off.
        if (!settings.ShouldSerialize("Max Auto Prepare"))
        {
            settings.MaxAutoPrepare = 32;
        }
        // The server writes and reads bounds of partitions as text: in other zones by an abbreviation where its DateStyle is not ISO, and IST is three of them.
        if (!settings.ShouldSerialize("Timezone"))
        {
            settings.Timezone = "UTC";
        }
        // Of several hosts that were away a moment ago none would be tried, and the reason would not be said.
        if (!settings.ShouldSerialize("Host Recheck Seconds"))
        {
            settings.HostRecheckSeconds = 0;
        }
        settings.Enlist = false;
        return settings;
    }

    /// <summary>Connections with these settings. They ask the server for none of its types: all that we read and write are built in, and the first connection is there sooner.</summary>
    public static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder settings)
    {
        var source = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        source.ConfigureTypeLoading(static types => types.EnableTypeLoading(false));
        return source.Build();
    }

    /// <summary>
    /// Opens a session, not a pooled one, for statements that take long and cannot be in a transaction: no time-out of the role or the database cuts them. Behind a pooler
    /// the session may be another client's with the next statement, so nothing is set there; the process's number, which the pooler made up, tells.
    /// </summary>
    public static async Task<NpgsqlConnection> OpenUnhurriedAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellation);
        try
        {
            await connection.ExecuteAsync(
                $"SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false) WHERE pg_backend_pid() = {connection.ProcessID}", cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
