using System.Text;
using LogPipeline.Client;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>A sink's filter wants the records whose rows a query with the same words finds.</summary>
public sealed class SinkFilterRuleTests
{
    private const int Queries = 3000;

    [Fact]
    public void A_random_filter_wants_what_the_same_query_finds()
    {
        var lines = new RandomQuery(11);
        using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, 100).Select(_ => lines.Line())]);
        ILineParser plain = LineParsers.Named("combined");
        rows.Parse(plain);
        var fields = new QueryFields(plain.Columns);
        var made = new LiveRows(plain);
        LogRow[] all = [.. Enumerable.Range(0, rows.Count).Select(i => made.Make(new TopicPartition("web_log", 0), rows, i))];
        (int tried, int some) = (0, 0);
        for (int seed = 1; seed <= Queries; seed++)
        {
            string text = new RandomQuery(seed).Query();
            SinkFilter filter;
            try
            {
                filter = SinkFilter.Of(LineParsers.Named(new ParserOptions { Type = "combined", Where = text }))!;
            }
            catch (SinkConfigurationException)
            {
                continue; // it names a time by how long ago it was, or the partition
            }
            foreach (ref Row row in rows.Rows)
            {
                row.State = RowState.Store;
            }
            filter.Apply(rows);
            QueryNode query = QueryParser.Parse(text, fields, now: null)!;
            for (int i = 0; i < all.Length; i++)
            {
                Assert.True(RowMatch.Matches(query, all[i]) == (rows.Rows[i].State == RowState.Store), $"seed {seed}: `{text}` on {Encoding.UTF8.GetString(rows.Value(rows.Rows[i]))}");
            }
            tried++;
            some += rows.Rows.ToArray().Select(row => row.State).Distinct().Count() - 1;
        }
        // Else the filters would tell nothing.
        Assert.InRange(tried, Queries / 3, Queries);
        Assert.InRange(some, Queries / 6, Queries);
    }

    [Fact]
    public void Numbers_and_texts_with_their_case_are_compared_without_an_allocation()
    {
        ILineParser parser = LineParsers.Named(new ParserOptions { Type = "combined", Where = "status>=500 or (method:GET and not path~health) or \"curl\" or remote_user:*" });
        SinkFilter filter = SinkFilter.Of(parser)!;
        var lines = new RandomQuery(3);
        using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, 1000).Select(_ => lines.Line())]);
        rows.Parse(parser);
        filter.Apply(rows);
        long before = GC.GetAllocatedBytesForCurrentThread();
        filter.Apply(rows);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }
}
