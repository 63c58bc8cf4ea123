namespace LogPipeline.Agent.Framing;

/// <summary>Chooses where a line is cut that is longer than the limit.</summary>
internal interface ILineCut
{
    /// <summary>Returns how many bytes the next part has; 0 where what must not be cut reaches beyond the text.</summary>
    /// <param name="text">The line's next bytes: up to its end, or twice the limit.</param>
    /// <param name="most">The limit: only what must not be cut may make a part longer.</param>
    /// <param name="isEnd">Whether the line ends with the text.</param>
    /// <param name="encoding">The text's encoding, as in <see cref="LineFramer"/>.</param>
    int LengthOf(ReadOnlySpan<byte> text, int most, bool isEnd, TextDecoder? encoding);
}
