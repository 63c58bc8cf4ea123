using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>Which questions an index of rare values serves.</summary>
public sealed class RareValuesTests
{
    [Theory]
    [InlineData("path:/a", true)]
    [InlineData("path=/a status>=500", true)]
    [InlineData("path:(/a or /b)", true)]
    [InlineData("path=/a or method=GET", false)]
    [InlineData("not path=/a", false)]
    [InlineData("path:/a*", false)]
    [InlineData("path~a", false)]
    [InlineData("path>a", false)]
    [InlineData("remote_addr:10.0.0.1", false)] // a B-tree, which the planner weighs well
    [InlineData("status:500", false)]
    [InlineData("", false)]
    public void Equality_with_a_column_that_has_one_is_served(string query, bool isServed)
    {
        ILineParser parser = LineParsers.Named("combined");
        var rare = new RareValues(RowIndex.Read(["path", "remote_addr btree", "status", "line trigram"], parser, isSqlite: false));
        Assert.Equal(isServed, rare.Serve(QueryParser.Parse(query, new QueryFields(parser.Columns), DateTimeOffset.UnixEpoch)));
    }

    [Fact]
    public void Letters_of_any_case_are_not_served()
    {
        ILineParser parser = LineParsers.Named("combined");
        var rare = new RareValues(RowIndex.Read(["path"], parser, isSqlite: false));
        Assert.False(rare.Serve(QueryParser.Parse("path:/a", new QueryFields(parser.Columns), DateTimeOffset.UnixEpoch, ignoreCase: true)));
    }
}
