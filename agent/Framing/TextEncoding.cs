namespace LogPipeline.Agent.Framing;

/// <summary>How a file's bytes are to be understood.</summary>
public enum TextEncoding
{
    /// <summary>A byte order mark decides between UTF-8 and UTF-16; without one the bytes are passed on as they are.</summary>
    Auto,

    /// <summary>Bytes that are no UTF-8 are replaced.</summary>
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
    Gb18030,
    Gbk,
    Big5,
    ShiftJis,
    Latin1,
}
