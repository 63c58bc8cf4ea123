namespace LogPipeline.Sinks.Parsing;

/// <summary>Where a field's value is.</summary>
public enum FieldPlace : byte
{
    /// <summary>The line has none: NULL.</summary>
    None,

    /// <summary>Bytes of the line.</summary>
    Line,

    /// <summary>Bytes of the scratch, which the parser wrote.</summary>
    Scratch,

    /// <summary>In the field itself.</summary>
    Here,
}

/// <summary>One value found in a line, 16 bytes: a stretch of bytes, a number, or nothing. The column's kind says how to read it.</summary>
public readonly struct Field
{
    private readonly long _bits;

    private Field(FieldPlace place, long bits) => (Place, _bits) = (place, bits);

    public FieldPlace Place { get; }

    public bool HasValue => Place != FieldPlace.None;

    /// <summary>Of a stretch, its first byte.</summary>
    public int Start => (int)_bits;

    /// <summary>Of a stretch, in bytes; of a number 0.</summary>
    public int Length => Place == FieldPlace.Here ? 0 : (int)(_bits >> 32);

    /// <summary>An integer, a time, or 1 for true.</summary>
    public long Number => _bits;

    public double Double => BitConverter.Int64BitsToDouble(_bits);

    public static Field InLine(int start, int length) => new(FieldPlace.Line, ((long)length << 32) | (uint)start);

    public static Field InScratch(int start, int length) => new(FieldPlace.Scratch, ((long)length << 32) | (uint)start);

    public static Field Of(long number) => new(FieldPlace.Here, number);

    public static Field Of(double number) => new(FieldPlace.Here, BitConverter.DoubleToInt64Bits(number));

    public static Field Of(bool truth) => new(FieldPlace.Here, truth ? 1 : 0);
}
