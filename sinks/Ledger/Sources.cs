using System.Globalization;

namespace LogPipeline.Sinks.Ledger;

/// <summary>One generation of one file on its way to one topic: the key of <c>logpipe_sources</c> within a sink.</summary>
public readonly record struct SourceKey(Guid AgentId, ulong Generation, string Topic) : IComparable<SourceKey>
{
    /// <summary>The generation as databases and people see it: 16 hexadecimal digits.</summary>
    public string GenerationText => Generation.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The order in which rows are locked, the same in every writer.</summary>
    public int CompareTo(SourceKey other)
    {
        int order = AgentId.CompareTo(other.AgentId);
        if (order == 0)
        {
            order = Generation.CompareTo(other.Generation);
        }
        return order != 0 ? order : string.CompareOrdinal(Topic, other.Topic);
    }
}

/// <summary>A source as a flush met it in the records.</summary>
/// <param name="Host">Text for people; invalid UTF-8 and NUL replaced.</param>
/// <param name="File">Text for people; invalid UTF-8 and NUL replaced.</param>
public sealed record Source(SourceKey Key, string Host, string File);

/// <summary>A row of <c>logpipe_sources</c> as read in the flush's transaction, and the ranges as they will be.</summary>
public sealed class SourceState(int id, Source source, long version, StoredRanges stored)
{
    /// <summary>What rows carry in their column <c>source</c>.</summary>
    public int Id { get; } = id;

    public Source Source { get; } = source;

    /// <summary>As read; an update raises it by one and takes effect only where it is still this.</summary>
    public long Version { get; } = version;

    /// <summary>File ranges whose records are stored; the flush adds to it in memory.</summary>
    public StoredRanges Stored { get; } = stored;
}
