using System.Runtime.CompilerServices;

namespace LogPipeline.Simulation.Kernel;

/// <summary>
/// What happened, as a hash always (two runs of one seed must give the same) and as text when asked for: a failing seed is
/// simply run again with the text on.
/// </summary>
public sealed class Trace(World world, bool verbose)
{
    private readonly List<string> _lines = [];

    public bool Verbose { get; } = verbose;

    public ulong Hash { get; private set; } = 14695981039346656037;

    public IReadOnlyList<string> Lines => _lines;

    public void Note(long first, long second) => Hash = World.Mix(Hash ^ (ulong)first) + (ulong)second;

    public void Say(Part? part, [InterpolatedStringHandlerArgument("")] ref Text text)
    {
        if (Verbose)
        {
            _lines.Add($"{world.Now.TotalSeconds,11:F6} {part?.Name ?? "world",-10} {text.ToStringAndClear()}");
        }
    }

    public void Say(Part? part, string text)
    {
        if (Verbose)
        {
            _lines.Add($"{world.Now.TotalSeconds,11:F6} {part?.Name ?? "world",-10} {text}");
        }
    }

    /// <summary>Formats nothing unless the trace is verbose.</summary>
    [InterpolatedStringHandler]
    public ref struct Text
    {
        private DefaultInterpolatedStringHandler _inner;
        private readonly bool _on;

        public Text(int literalLength, int formattedCount, Trace trace, out bool on)
        {
            _on = on = trace.Verbose;
            _inner = on ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
        }

        public void AppendLiteral(string value) => _inner.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _inner.AppendFormatted(value);

        public void AppendFormatted<T>(T value, string? format) => _inner.AppendFormatted(value, format);

        internal string ToStringAndClear() => _on ? _inner.ToStringAndClear() : "";
    }
}
