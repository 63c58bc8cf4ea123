using System.Buffers;

namespace LogPipeline.Sinks.Parsing;

/// <summary>IIS in its W3C form: values between blanks in the order of the `#Fields` line, a dash for none. Lines that begin with `#` are no rows of it.</summary>
internal sealed class IisParser : ILineParser
{
    private const string Default = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken";

    private const int MethodLengthMax = 32;
    private static readonly SearchValues<byte> MethodLetters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"u8);

    private readonly string[] _names;
    private readonly int[] _columns; // of each value; -1 for date and time

    /// <exception cref="SinkConfigurationException">The field list cannot be read.</exception>
    public IisParser(ParserOptions options)
    {
        Settings = options.Settings;
        const string prefix = "#Fields:";
        string format = options.Format ?? Default;
        _names = (format.StartsWith(prefix, StringComparison.Ordinal) ? format[prefix.Length..] : format).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (!_names.Contains("date") || !_names.Contains("time"))
        {
            throw new SinkConfigurationException($"parser iis: `format` must have the fields date and time, as the line #Fields of the log has them, such as {Default}");
        }
        var columns = new List<Column>();
        _columns = new int[_names.Length];
        for (int i = 0; i < _names.Length; i++)
        {
            _columns[i] = _names[i] is "date" or "time" ? -1 : columns.Count;
            if (_columns[i] >= 0)
            {
                columns.Add(new Column(ColumnNames.Of(_names[i]), KindOf(_names[i])));
            }
        }
        Columns = ColumnNames.Distinct(columns);
    }

    public string Name => "iis";

    public string Settings { get; }

    public IReadOnlyList<Column> Columns { get; }

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        if (line.IsEmpty || line[0] == '#')
        {
            return false;
        }
        Span<byte> time = stackalloc byte[19]; // 2026-11-21 13:05:09
        time[10] = (byte)' ';
        int at = 0;
        for (int i = 0; i < _names.Length; i++)
        {
            int length = i + 1 == _names.Length ? line.Length - at : line[at..].IndexOf((byte)' ');
            if (length <= 0)
            {
                return false;
            }
            if (_columns[i] < 0)
            {
                Span<byte> part = _names[i] == "date" ? time[..10] : time[11..];
                if (length != part.Length)
                {
                    return false;
                }
                line.Slice(at, length).CopyTo(part);
            }
            else if (AccessLogParser.DashIsNone(line, at, length) is { HasValue: true } found
                && (!MayBe(_names[i], line.Slice(at, length)) || !FieldText.TryRead(line, found, Columns[_columns[i]].Kind, TimeFormat.Auto, ref into, out into.Fields[_columns[i]])))
            {
                return false;
            }
            at += length + 1;
        }
        bool isTime = TimeFormat.TryIso(time, out long microseconds);
        into.EventTime = microseconds;
        return isTime && line[(at - 1)..].IsEmpty && !line[^1].Equals((byte)' ') && IsLastValue(line);
    }

    /// <summary>The last value ends with the line, so a further one would lie in it.</summary>
    private bool IsLastValue(ReadOnlySpan<byte> line) => line.Count((byte)' ') == _names.Length - 1;

    /// <summary>Whether a text can be the field's value: after another `#Fields` line as many values may stand in another order.</summary>
    private static bool MayBe(string name, ReadOnlySpan<byte> value) => name switch
    {
        "s-ip" or "c-ip" => Addresses.TryParse(WithoutZone(value), stackalloc byte[16]) > 0,
        "cs-method" => value.Length <= MethodLengthMax && value.IndexOfAnyExcept(MethodLetters) < 0,
        "cs-uri-stem" => value[0] is (byte)'/' or (byte)'*' || value.IndexOf("://"u8) > 0,
        _ => true,
    };

    /// <summary>An address of the own link has its network card behind it: <c>fe80::1%12</c>.</summary>
    private static ReadOnlySpan<byte> WithoutZone(ReadOnlySpan<byte> address) =>
        address.IndexOf((byte)'%') is > 0 and var at && address[(at + 1)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0 ? address[..at] : address;

    private static ColumnKind KindOf(string name) => name switch
    {
        "sc-status" or "sc-substatus" or "s-port" => ColumnKind.Integer,
        "sc-win32-status" or "sc-bytes" or "cs-bytes" or "time-taken" => ColumnKind.BigInteger,
        _ => ColumnKind.Text,
    };
}
