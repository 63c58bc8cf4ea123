using System.Globalization;
using System.Text;
using LogPipeline.Simulation.Database;

namespace LogPipeline.Simulation.Workload;

/// <summary>A line that an application wrote, and how often it must and may come out at the other end.</summary>
internal sealed class Line(int id, byte[] bytes)
{
    private const string Mark = "L";
    private const byte End = (byte)'$';

    public int Id => id;

    /// <summary>As written, without terminator.</summary>
    public byte[] Bytes => bytes;

    /// <summary>1 while a file holds it; 0 once it was destroyed, perhaps before anyone could read it.</summary>
    public int Least
    {
        get => WasDeleted || WasUnseen ? 0 : field;
        set;
    } = 1;

    /// <summary>Delivered to a topic that was deleted, or lost its first records or its last, afterwards.</summary>
    public bool WasDeleted { get; set; }

    /// <summary>Compressed while an agent was up that may not have seen its file yet: it does not read archives as it finds them.</summary>
    public bool WasUnseen { get; set; }

    /// <summary>1, or the number of files that hold it after a half-made copy.</summary>
    public int Most { get; set; } = 1;

    /// <summary>When it was written.</summary>
    public TimeSpan WrittenAt { get; init; }

    /// <summary>Where it stands, for messages.</summary>
    public string Story { get; set; } = "";

    public static Line Make(int id, Random random, TimeSpan now = default)
    {
        int filler = random.Next(40) switch { 0 => random.Next(1000, 4000), < 6 => random.Next(200), _ => random.Next(30) };
        StringBuilder text = new StringBuilder(Mark).Append(id.ToString("D6", CultureInfo.InvariantCulture)).Append(' ');
        for (int i = 0; i < filler; i++)
        {
            text.Append((char)('a' + (id + i) % 26));
        }
        byte[] bytes = [.. Encoding.ASCII.GetBytes(text.ToString()), End];
        if (filler > 4 && random.Next(30) == 0)
        {
            // What text never holds.
            bytes[9] = (byte)(random.Next(2) * 0xff);
        }
        else if (filler >= TableRules.Poison.Length && filler < 200 && random.Next(60) == 0)
        {
            TableRules.Poison.CopyTo(bytes.AsSpan(8));
        }
        return new Line(id, bytes) { WrittenAt = now };
    }

    /// <summary>The id of a whole line; null for a fragment or anything else.</summary>
    public static int? IdOf(ReadOnlySpan<byte> value) => TextOf(value) is { Length: > 8 } text && (text[^1] == End || text.EndsWith("$\"}"u8)) ? IdAtStartOf(text) : null;

    /// <summary>The id of a line of which this is the whole or the first part.</summary>
    public static int? IdAtStartOf(ReadOnlySpan<byte> value) =>
        TextOf(value) is { Length: > 7 } text && text[0] == Mark[0] && text[7] == ' '
        && int.TryParse(Encoding.ASCII.GetString(text[1..7]), NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : null;

    /// <summary>What follows the fields before a journal's message; any other line as it is.</summary>
    private static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> value) =>
        value.StartsWith("{\"__CURSOR"u8) && value.IndexOf("\"MESSAGE\":\""u8) is >= 0 and int at ? value[(at + 11)..] : value;
}
