namespace LogPipeline.Agent.State;

/// <summary>Lines of which no record was made because the configuration says so, by reason.</summary>
/// <param name="Filtered">Lines that <c>include</c> and <c>exclude_lines</c> leave out.</param>
/// <param name="FilteredBytes">Bytes of the file that they take.</param>
/// <param name="Limited">Lines beyond <c>rate_limit</c>.</param>
/// <param name="LimitedBytes">Bytes of the file that they take.</param>
internal readonly record struct OmittedLines(long Filtered, long FilteredBytes, long Limited, long LimitedBytes)
{
    public static OmittedLines operator +(OmittedLines a, OmittedLines b) =>
        new(a.Filtered + b.Filtered, a.FilteredBytes + b.FilteredBytes, a.Limited + b.Limited, a.LimitedBytes + b.LimitedBytes);

    public void Write(StateWriter to)
    {
        to.Int64(Filtered);
        to.Int64(FilteredBytes);
        to.Int64(Limited);
        to.Int64(LimitedBytes);
    }

    public static OmittedLines Read(ref StateReader from) => new(from.Int64(), from.Int64(), from.Int64(), from.Int64());
}
