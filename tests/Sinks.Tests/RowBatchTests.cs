using System.Text;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Tests.Parsing;

namespace LogPipeline.Sinks.Tests;

public sealed class RowBatchTests
{
    [Fact]
    public void Each_row_is_parsed_once_and_its_memory_is_counted()
    {
        var parser = new CountingParser();
        using RowBatch rows = TestRows.Batch(0, "!scratch|1||||||", "no", "x\0|2||||||");
        long before = rows.HeldBytes;
        long took = rows.Parse(parser);
        Assert.Equal(rows.HeldBytes - before, took);
        Assert.Equal(3 * 8 * 16 + "scratch".Length + "x␀|2||||||"u8.Length, took);
        Assert.Equal(0, rows.Parse(parser));
        Assert.Equal(3, parser.Lines);
        rows.Add("y|3||||||"u8);
        rows.Parse(parser);
        Assert.Equal(4, parser.Lines);
        Assert.Equal("y", Text(rows, 3, 0));
        rows.Clear();
        Assert.Equal(0, rows.HeldBytes);
    }

    [Fact]
    public void Fields_keep_their_bytes_while_the_scratch_grows()
    {
        using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, 5000).Select(i => $"!text {i}|{i}|||||10.0.{i >> 8}.{i & 255}|!{{}}")]);
        rows.Parse(new EveryKindParser());
        for (int i = 0; i < rows.Count; i++)
        {
            Assert.True(rows.Rows[i].IsParsed);
            Assert.Equal($"text {i}", Text(rows, i, 0));
            Assert.Equal(i, rows.Fields(i)[1].Number);
            Assert.Equal([10, 0, (byte)(i >> 8), (byte)i], rows.Bytes(rows.Fields(i)[6], rows.Text(rows.Rows[i])).ToArray());
        }
    }

    [Fact]
    public void Parts_of_a_line_and_lines_of_another_form_have_no_fields_and_the_time_of_their_record()
    {
        using RowBatch rows = TestRows.Batch(0, "a|||||5||", "b|||||6||", "c|||||x||", "d|||||||");
        rows.Rows[1].Part = 1;
        rows.Parse(new EveryKindParser());
        const long timestamp = 1_700_000_000_000_000;
        Assert.Equal([(true, 5L), (false, timestamp), (false, timestamp), (true, timestamp)], rows.Rows.ToArray().Select(row => (row.IsParsed, row.EventTime)));
        Assert.All(new[] { 1, 2 }, i => Assert.DoesNotContain(rows.Fields(i).ToArray(), field => field.HasValue));
    }

    [Fact]
    public void A_store_refuses_a_batch_that_is_not_parsed_for_its_columns()
    {
        using RowBatch rows = TestRows.Batch(0, "line");
        Assert.Throws<InvalidOperationException>(() => rows.RequireParsed(0));
        rows.Parse(new NoParser());
        rows.RequireParsed(0);
        Assert.Throws<InvalidOperationException>(() => rows.RequireParsed(8));
    }

    private static string Text(RowBatch rows, int index, int column) => Encoding.UTF8.GetString(rows.Bytes(rows.Fields(index)[column], rows.Text(rows.Rows[index])));

    private sealed class CountingParser : ILineParser
    {
        private readonly EveryKindParser _parser = new();

        public int Lines { get; private set; }

        public string Name => _parser.Name;

        public IReadOnlyList<Column> Columns => _parser.Columns;

        public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
        {
            Lines++;
            return _parser.TryParse(line, ref into);
        }
    }
}
