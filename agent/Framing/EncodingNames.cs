namespace LogPipeline.Agent.Framing;

/// <summary>What people write for an encoding.</summary>
public static class EncodingNames
{
    private static readonly (string Name, TextEncoding Encoding)[] s_all =
    [
        ("auto", TextEncoding.Auto), ("utf-8", TextEncoding.Utf8),
        ("utf-16le", TextEncoding.Utf16LittleEndian), ("utf-16be", TextEncoding.Utf16BigEndian),
        ("gb18030", TextEncoding.Gb18030), ("gbk", TextEncoding.Gbk), ("big5", TextEncoding.Big5),
        ("shift_jis", TextEncoding.ShiftJis), ("latin1", TextEncoding.Latin1),
    ];

    public static ReadOnlySpan<(string Name, TextEncoding Encoding)> All => s_all;
}
