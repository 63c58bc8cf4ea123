using System.Buffers;
using System.Text.Json;

namespace LogPipeline.Agent.Shaping;

/// <summary>Whether a file's lines are what an application wrote, or each wrapped by the runtime of its container.</summary>
public enum LineFormat
{
    Plain,

    /// <summary>Docker's json-file: <c>{"log":"text\n","stream":"stdout","time":"…"}</c>.</summary>
    Docker,

    /// <summary>Kubernetes' CRI: <c>time stdout F text</c>.</summary>
    Cri,

    /// <summary>Either; each line tells by its first byte.</summary>
    Container,
}

/// <summary>What a container's runtime wrapped: a line that an application wrote, or a piece of one.</summary>
/// <param name="Stream">The output that it was written to.</param>
/// <param name="IsWhole">Whether the application's line ends with it.</param>
/// <param name="EndsInCarriageReturn">Whether it ended in CR LF; neither is in the text.</param>
/// <param name="Time">When the runtime took it: milliseconds since 1970, <see cref="long.MinValue"/> where that is not said.</param>
internal readonly record struct ContainerLine(LineStream Stream, bool IsWhole, bool EndsInCarriageReturn, long Time)
{
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    /// <summary>Unwraps a line; false when it is not of the form.</summary>
    /// <param name="line">The whole line.</param>
    /// <param name="format">The form.</param>
    /// <param name="to">Where the text is written.</param>
    /// <param name="unwrapped">What else the line says.</param>
    public static bool TryUnwrap(ReadOnlySpan<byte> line, LineFormat format, ArrayBufferWriter<byte> to, out ContainerLine unwrapped)
    {
        bool isJson = format == LineFormat.Docker || (format == LineFormat.Container && line.StartsWith((byte)'{'));
        return isJson ? TryUnwrapDocker(line, to, out unwrapped) : TryUnwrapCri(line, to, out unwrapped);
    }

    private static bool TryUnwrapDocker(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> to, out ContainerLine unwrapped)
    {
        unwrapped = default;
        LineStream stream = LineStream.None;
        long time = long.MinValue;
        int length = -1;
        try
        {
            var json = new Utf8JsonReader(line);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isLog = json.ValueTextEquals("log"u8);
                bool isStream = json.ValueTextEquals("stream"u8);
                bool isTime = json.ValueTextEquals("time"u8);
                json.Read();
                if (!isLog && !isStream && !isTime)
                {
                    json.Skip();
                }
                else if (json.TokenType != JsonTokenType.String)
                {
                    return false;
                }
                else if (isLog)
                {
                    length = json.CopyString(to.GetSpan(json.ValueSpan.Length));
                    to.Advance(length);
                }
                else if (isStream)
                {
                    stream = StreamOf(json.ValueSpan);
                }
                else if (LineTime.TryReadIso8601(json.ValueSpan, out long said, out _))
                {
                    time = said;
                }
            }
            json.Read(); // throws where anything follows
        }
        catch (Exception misfit) when (misfit is JsonException or InvalidOperationException)
        {
            to.ResetWrittenCount();
            return false;
        }
        if (length < 0)
        {
            return false;
        }
        ReadOnlySpan<byte> text = to.WrittenSpan;
        bool isWhole = text is [.., LineFeed];
        bool carriage = text is [.., CarriageReturn, LineFeed];
        Shorten(to, isWhole ? carriage ? 2 : 1 : 0);
        unwrapped = new ContainerLine(stream, isWhole, carriage, time);
        return true;
    }

    private static bool TryUnwrapCri(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> to, out ContainerLine unwrapped)
    {
        unwrapped = default;
        if (!LineTime.TryReadIso8601(line, out long time, out int size) || line.Length <= size || line[size] != ' ')
        {
            return false;
        }
        ReadOnlySpan<byte> rest = line[(size + 1)..];
        int space = rest.IndexOf((byte)' ');
        LineStream stream = space < 0 ? LineStream.None : StreamOf(rest[..space]);
        if (stream == LineStream.None)
        {
            return false;
        }
        rest = rest[(space + 1)..];
        space = rest.IndexOf((byte)' ');
        ReadOnlySpan<byte> tags = space < 0 ? rest : rest[..space];
        // The first tag, of those that colons part, says whether the line is whole (F) or goes on (P).
        if (tags.IsEmpty || tags[0] is not ((byte)'F' or (byte)'P') || (tags.Length > 1 && tags[1] != ':'))
        {
            return false;
        }
        to.Write(space < 0 ? default : rest[(space + 1)..]);
        unwrapped = new ContainerLine(stream, tags[0] == 'F', false, time);
        return true;
    }

    private static LineStream StreamOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("stdout"u8) ? LineStream.Out : name.SequenceEqual("stderr"u8) ? LineStream.Error : LineStream.None;

    /// <summary>Takes bytes off the end of what was written.</summary>
    private static void Shorten(ArrayBufferWriter<byte> written, int count)
    {
        int length = written.WrittenCount - count;
        written.ResetWrittenCount();
        written.Advance(length);
    }
}
