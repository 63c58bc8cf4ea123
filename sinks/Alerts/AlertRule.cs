using System.Globalization;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Alerts;

/// <summary>A rule on stored rows: too many of them, or too large a share of them, within a time. An entry under <c>alerts: rules:</c>.</summary>
public sealed record AlertRule
{
    public required string Name { get; init; }

    /// <summary>The sink whose rows are counted.</summary>
    public required string Sink { get; init; }

    /// <summary>Which rows count, in the query language.</summary>
    public required string Query { get; init; }

    /// <summary>Which rows a share is of; empty = all.</summary>
    public string Of { get; init; } = "";

    /// <summary>What may just be: so many rows, or such a share of them.</summary>
    public required AlertLimit Above { get; init; }

    /// <summary>Rows of so long a time, up to now, are counted.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>From one count to the next.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(30);

    /// <exception cref="SinkConfigurationException">A query cannot be read, or a time is no time: says where and what to write.</exception>
    public void Validate(QueryFields fields)
    {
        Require(Window >= TimeSpan.FromSeconds(1), "window must be 1s or more, such as 5m");
        Require(Every >= TimeSpan.FromSeconds(1), "every must be 1s or more, such as 30s");
        Require(Of.Length == 0 || Above.IsShare, $"'of' goes with a share, such as above: 1%, and not with {Above}");
        foreach ((string key, string query) in new[] { ("query", Query), ("of", Of) })
        {
            try
            {
                QueryParser.Parse(query, fields, DateTimeOffset.UnixEpoch);
            }
            catch (QuerySyntaxException error)
            {
                throw new SinkConfigurationException($"alert {Name}: {key}: {error.Message}");
            }
        }
    }

    private void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new SinkConfigurationException($"alert {Name}: {what}");
        }
    }
}

/// <summary>A number of rows, or a share of them.</summary>
/// <param name="Value">Rows, or the share from 0 to 1.</param>
/// <param name="IsShare">Which of the two.</param>
public readonly record struct AlertLimit(double Value, bool IsShare)
{
    /// <summary>Reads <c>100</c>, rows, or <c>2.5%</c>.</summary>
    public static bool TryParse(string text, out AlertLimit limit)
    {
        bool isShare = text.EndsWith('%');
        bool isNumber = double.TryParse(isShare ? text[..^1] : text, isShare ? NumberStyles.AllowDecimalPoint : NumberStyles.None, CultureInfo.InvariantCulture, out double value);
        limit = new AlertLimit(isShare ? value / 100 : value, isShare);
        return isNumber && (!isShare || value < 100);
    }

    public string Show(double value) => IsShare ? $"{(value * 100).ToString("0.##", CultureInfo.InvariantCulture)} %" : value.ToString("0", CultureInfo.InvariantCulture);

    public override string ToString() => Show(Value);
}
