using System.Data.Common;
using System.Globalization;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Query;

/// <summary>SQL and the values of its parameters <c>@p0</c>, <c>@p1</c>, …</summary>
internal sealed record SqlStatement(string Text, IReadOnlyList<object> Values)
{
    /// <summary>To be answered from an index where there is one, whatever it seems to cost.</summary>
    public bool ByIndex { get; init; }

    /// <summary>Gives few rows, which cannot be had in pieces.</summary>
    public bool IsWhole { get; init; }

    /// <param name="before">Statements to go ahead of it.</param>
    public DbCommand Command(DbConnection connection, string before = "")
    {
        DbCommand command = connection.Command(before + Text, [.. Values]);
        command.CommandTimeout = 0; // the reader decides how long to wait, by cancelling
        return command;
    }

    /// <summary>The text, and below it the values as comments.</summary>
    public override string ToString() => Text + string.Concat(Values.Select((value, i) =>
        $"\n-- @p{i} = {(value is DateTime time ? time.ToString("O", CultureInfo.InvariantCulture) : Convert.ToString(value, CultureInfo.InvariantCulture))!.ReplaceLineEndings(" ")}"));
}
