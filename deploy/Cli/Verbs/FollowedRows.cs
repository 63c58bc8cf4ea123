using System.Runtime.CompilerServices;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Verbs;

/// <summary>Stored rows, then those that come: from the broker, or where none answers from the database, once the sink has stored them.</summary>
internal static class FollowedRows
{
    public static async IAsyncEnumerable<LogRow> ReadAsync(ILogReader reader, LogQuery filter, int last, [EnumeratorCancellation] CancellationToken stop)
    {
        await using IAsyncEnumerator<LogRow> live = reader.LiveAsync(filter, last, new TcpConnector(), Random.Shared, stop).GetAsyncEnumerator(stop);
        if (await IsReachedAsync(live))
        {
            do
            {
                yield return live.Current;
            }
            while (await live.MoveNextAsync());
            yield break;
        }
        await foreach (LogRow row in reader.TailAsync(filter, last, stop))
        {
            yield return row;
        }
    }

    /// <summary>Moves to the first row; false when no broker answers.</summary>
    private static async Task<bool> IsReachedAsync(IAsyncEnumerator<LogRow> live)
    {
        try
        {
            return await live.MoveNextAsync();
        }
        catch (BrokerUnreachableException e)
        {
            Console.Error.WriteLine($"{e.Message}: rows are shown once they are stored");
            return false;
        }
    }
}
