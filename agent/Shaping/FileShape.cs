using LogPipeline.Agent.Framing;

namespace LogPipeline.Agent.Shaping;

/// <summary>What becomes of the lines of one file: its input's shape, its own encoding, and what is known of it between two reads.</summary>
internal sealed class FileShape(LineShape shape, TextDecoder? encoding, TimeProvider time)
{
    private readonly (long Position, long Time)[] _seen = [(-1, 0), (-1, 0), (-1, 0)]; // by stream

    public LineShape Shape => shape;

    /// <summary>Null where the bytes are passed on as they are.</summary>
    public TextDecoder? Encoding => encoding;

    /// <summary>Null where there is no limit.</summary>
    public RateBucket? Bucket { get; } = shape.Input.RateLimit is RateLimit limit ? new RateBucket(limit, time) : null;

    /// <summary>When the file is to be read again though it has not grown: a timestamp. Null = not for that.</summary>
    public long? Due { get; set; }

    /// <summary>Whether the read loop has it among the files that are due.</summary>
    public bool IsAwaited { get; set; }

    /// <summary>Where the line begins of which it was told that its rest is left out.</summary>
    public long WithheldTold { get; set; } = -1;

    /// <summary>Whether it was told that a line of it is not of its format.</summary>
    public bool IsMisfitTold { get; set; }

    /// <summary>The longest line in bytes of the file that comes whole.</summary>
    public int LineBytesMax => encoding?.BytesFor(shape.Input.MaxLineBytes) ?? shape.Input.MaxLineBytes;

    /// <summary>What became of each stream's last line before the read position, whose later parts are sent or left out together with it.</summary>
    public LineFate[] Fates { get; } = [LineFate.None, LineFate.None, LineFate.None];

    /// <summary>Since when a stream has been seen up to <paramref name="position"/> and no further: a timestamp.</summary>
    public long QuietSince(LineStream stream, long position)
    {
        ref (long Position, long Time) seen = ref _seen[(int)stream];
        if (seen.Position != position)
        {
            seen = (position, time.GetTimestamp());
        }
        return seen.Time;
    }
}

/// <summary>What became of a line.</summary>
/// <param name="LineBegin">Where it begins.</param>
/// <param name="Omission">Why what comes of it is left out.</param>
/// <param name="RestFrom">Where it was given up, decided upon without its end: the stream's next line from there on is its rest. By default it has none.</param>
internal readonly record struct LineFate(long LineBegin, Omission Omission, long RestFrom = long.MaxValue)
{
    public static LineFate None => new(-1, Omission.None);
}
