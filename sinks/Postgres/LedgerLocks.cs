using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Ledger;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// Waits for locks of the ledger's rows. A frozen owner sits in a transaction with its row locked, and would hold others for as long as it
/// sleeps: after some patience its backend is ended.
/// </summary>
/// <param name="apart">Connects without a pool: those that wait may hold all of its connections.</param>
/// <param name="applicationName">Of the sink's own sessions.</param>
/// <param name="server">Host and port, for messages.</param>
internal sealed class LedgerLocks(NpgsqlDataSource apart, string applicationName, string server, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Runs a statement that may have to wait for a lock; the connection is in a transaction.</summary>
    /// <exception cref="StoreUnavailableException">Somebody else holds the lock: says who.</exception>
    public async Task<T> WaitAsync<T>(NpgsqlConnection connection, Func<CancellationToken, Task<T>> statement, CancellationToken cancellation)
    {
        // Behind a pooler the connection's own process id is the pooler's invention; the backend is ours until the transaction ends.
        int backend = (int)(await connection.ScalarAsync("SELECT pg_backend_pid()", cancellation))!;
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<T> waiting = statement(giveUp.Token);
        try
        {
            while (true)
            {
                await WaitAtMost.AllAsync([waiting], Patience, time, cancellation);
                if (waiting.IsCompleted || cancellation.IsCancellationRequested)
                {
                    return await waiting;
                }
                await EndBlockersAsync(backend, cancellation);
            }
        }
        catch
        {
            await giveUp.CancelAsync();
            await EndAsync(waiting);
            throw;
        }
    }

    /// <summary>Waits for a command that was cancelled: its connection is not to be closed under it.</summary>
    private static async Task EndAsync(Task waiting)
    {
        try
        {
            await waiting;
        }
        catch (Exception error) when (error is NpgsqlException or OperationCanceledException)
        {
            // What ended the wait is told already.
        }
    }

    /// <summary>Ends the backends of this sink that hold the lock; other people's are waited for.</summary>
    private async Task EndBlockersAsync(int waiting, CancellationToken cancellation)
    {
        await using NpgsqlConnection connection = await apart.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand("""
            SELECT format('%s (%s, process %s)', usename, application_name, pid), CASE WHEN application_name = $2 THEN pg_terminate_backend(pid) END
            FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1))
            """, connection)
        {
            Parameters = { new() { Value = waiting }, new() { Value = applicationName } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        string? other = null;
        while (await reader.ReadAsync(cancellation))
        {
            other = await reader.IsDBNullAsync(1, cancellation) ? reader.GetString(0) : other;
        }
        if (other is not null)
        {
            throw new StoreUnavailableException($"PostgreSQL at {server}: a session of {other} holds the lock of the sink's ledger row; it is waited for, not ended.");
        }
    }
}
