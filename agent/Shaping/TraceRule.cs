namespace LogPipeline.Agent.Shaping;

/// <summary>The run-times whose stack traces are known.</summary>
[Flags]
public enum TraceKinds
{
    None = 0,
    DotNet = 1,
    Java = 2,
    Python = 4,
    Go = 8,
    Node = 16,
    All = DotNet | Java | Python | Go | Node,
}

/// <summary>Where in a stack trace a group of lines is.</summary>
internal enum TraceState : byte
{
    /// <summary>Lines that are no trace, or not yet.</summary>
    Ordinary,

    /// <summary>A line that names an exception.</summary>
    Header,

    /// <summary>Indented lines of a trace.</summary>
    Frames,

    /// <summary>.NET: behind the end of one of several inner exceptions; an empty line follows.</summary>
    Inner,

    /// <summary>Python: behind "Traceback", before the line of the exception.</summary>
    Traceback,

    /// <summary>Python: behind the line of the exception.</summary>
    Raised,

    /// <summary>Python: an empty line behind that; what led to what may follow.</summary>
    Parted,

    /// <summary>Python: behind "During handling of …"; another traceback follows.</summary>
    Chained,

    /// <summary>Go: behind "panic:".</summary>
    Panic,

    /// <summary>Node: behind the caret that points into the source.</summary>
    Caret,

    /// <summary>Node: an empty line behind the frames; the version may follow.</summary>
    Ended,
}

/// <summary>Joins the stack traces of well-known run-times to the line before them, and their lines to each other.</summary>
internal sealed class TraceRule(TraceKinds kinds) : MultilineRule
{
    public override TraceState Begin(ReadOnlySpan<byte> line) =>
        Has(TraceKinds.Go) && IsPanic(line) ? TraceState.Panic
        : Has(TraceKinds.Python) && IsTraceback(line) ? TraceState.Traceback
        : IsHeader(line) ? TraceState.Header
        : TraceState.Ordinary;

    public override bool Continues(ReadOnlySpan<byte> line, ref TraceState state)
    {
        TraceState? next = state switch
        {
            TraceState.Inner => line.IsEmpty ? TraceState.Inner : AfterLine(line, TraceState.Frames),
            TraceState.Traceback => IsIndented(line) || line.IsEmpty ? TraceState.Traceback : TraceState.Raised,
            TraceState.Raised => line.IsEmpty ? TraceState.Parted : IsIndented(line) ? TraceState.Raised : null,
            TraceState.Parted => IsChain(line) ? TraceState.Chained : null,
            TraceState.Chained => line.IsEmpty ? TraceState.Chained : IsTraceback(line) ? TraceState.Traceback : null,
            TraceState.Panic => IsOfPanic(line) ? TraceState.Panic : null,
            TraceState.Caret => line.IsEmpty ? TraceState.Caret : IsIndented(line) ? TraceState.Frames : IsHeader(line) ? TraceState.Header : null,
            TraceState.Ended => line.StartsWith("Node.js v"u8) ? TraceState.Frames : null,
            _ => AfterLine(line, state),
        };
        state = next ?? state;
        return next is not null;
    }

    /// <summary>What follows an ordinary line, the line of an exception, or frames.</summary>
    private TraceState? AfterLine(ReadOnlySpan<byte> line, TraceState state)
    {
        if (IsIndented(line))
        {
            if (Has(TraceKinds.DotNet) && line.EndsWith("<---"u8))
            {
                return TraceState.Inner;
            }
            return Has(TraceKinds.Node) && line.TrimStart((byte)' ').SequenceEqual("^"u8) ? TraceState.Caret : TraceState.Frames;
        }
        if (Has(TraceKinds.DotNet) && (line.StartsWith("---"u8) || (state == TraceState.Header && IsOfMessage(line))))
        {
            return TraceState.Frames;
        }
        if (Has(TraceKinds.Java) && (line.StartsWith("Caused by: "u8) || line.StartsWith("Suppressed: "u8) || line.StartsWith("Wrapped by: "u8)))
        {
            return TraceState.Header;
        }
        if (Has(TraceKinds.Node) && state == TraceState.Frames)
        {
            return line.SequenceEqual("}"u8) ? TraceState.Frames : line.IsEmpty ? TraceState.Ended : null;
        }
        if (state != TraceState.Ordinary)
        {
            return null; // a trace ends where another exception begins
        }
        return Has(TraceKinds.Python) && IsTraceback(line) ? TraceState.Traceback : IsHeader(line) ? TraceState.Header : null;
    }

    private bool Has(TraceKinds kind) => (kinds & kind) != 0;

    private static bool IsIndented(ReadOnlySpan<byte> line) => line.Length > 1 && line[0] is (byte)' ' or (byte)'\t';

    private static bool IsTraceback(ReadOnlySpan<byte> line) => line.StartsWith("Traceback (most recent call last):"u8);

    private static bool IsChain(ReadOnlySpan<byte> line) =>
        line.StartsWith("During handling of the above exception"u8) || line.StartsWith("The above exception was the direct cause"u8);

    private static bool IsPanic(ReadOnlySpan<byte> line) =>
        line.StartsWith("panic: "u8) || line.StartsWith("fatal error: "u8) || (line.StartsWith("goroutine "u8) && line.EndsWith("]:"u8))
        || line.IndexOf("http: panic serving "u8) >= 0;

    private static bool IsOfPanic(ReadOnlySpan<byte> line) =>
        line.IsEmpty || line[0] is (byte)' ' or (byte)'\t' || line[^1] == ')' || line.StartsWith("goroutine "u8) || line.StartsWith("[signal "u8)
        || line.StartsWith("created by "u8) || line.StartsWith("panic: "u8) || line.StartsWith("runtime stack:"u8) || line.StartsWith("exit status "u8)
        || line.StartsWith("...additional frames elided..."u8);

    /// <summary>What .NET's messages add in lines of their own.</summary>
    private static bool IsOfMessage(ReadOnlySpan<byte> line) => line.StartsWith("Parameter name: "u8) || line.StartsWith("Actual value was "u8);

    /// <summary>Whether a line names an exception: a dotted name that ends as exceptions' do, then a colon or nothing.</summary>
    private bool IsHeader(ReadOnlySpan<byte> line)
    {
        if (!Has(TraceKinds.DotNet | TraceKinds.Java | TraceKinds.Node))
        {
            return false;
        }
        ReadOnlySpan<byte> rest = line;
        if (rest.StartsWith("Unhandled exception. "u8))
        {
            rest = rest["Unhandled exception. "u8.Length..];
        }
        else if (rest.StartsWith("Exception in thread \""u8) && rest.IndexOf("\" "u8) is > 0 and int quote)
        {
            rest = rest[(quote + 2)..];
        }
        else if (rest.StartsWith("Uncaught "u8))
        {
            rest = rest["Uncaught "u8.Length..];
        }
        int end = rest.IndexOfAny((byte)':', (byte)' ');
        ReadOnlySpan<byte> name = end < 0 ? rest : rest[..end];
        bool isNamed = name.EndsWith("Exception"u8) || name.EndsWith("Error"u8) || name.EndsWith("Throwable"u8);
        return isNamed && (end < 0 || rest[end] == ':' || rest[end..].StartsWith(" ["u8)) && !name.ContainsAny("=/\"(["u8);
    }
}
