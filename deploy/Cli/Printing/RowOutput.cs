using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>Writes rows as they come: while the next one has to be waited for, the reader sees all that came before it.</summary>
internal static class RowOutput
{
    private static readonly TimeSpan ShownAfter = TimeSpan.FromMilliseconds(200);

    public static async Task WriteAsync(IAsyncEnumerable<LogRow> rows, IRowWriter writer, TextWriter output, TimeProvider time, CancellationToken stop)
    {
        await using IAsyncEnumerator<LogRow> next = rows.GetAsyncEnumerator(stop);
        while (await NextAsync(next, writer, output, time))
        {
            writer.Write(next.Current);
        }
        writer.End();
        await output.FlushAsync(stop);
    }

    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<LogRow> rows, IRowWriter writer, TextWriter output, TimeProvider time)
    {
        ValueTask<bool> next = rows.MoveNextAsync();
        if (next.IsCompleted)
        {
            return await next;
        }
        Task<bool> awaited = next.AsTask();
        using var over = new CancellationTokenSource();
        if (await Task.WhenAny(awaited, Task.Delay(ShownAfter, time, over.Token)) != awaited)
        {
            writer.Pause();
            await output.FlushAsync();
        }
        await over.CancelAsync();
        return await awaited;
    }
}
