using LogPipeline.Storage;

namespace LogPipeline.Broker.Cluster;

/// <summary>What a topic may be called.</summary>
internal static class TopicName
{
    /// <summary>Where committed offsets and group metadata live.</summary>
    public const string Offsets = "__consumer_offsets";

    private const int LengthMax = 249;

    /// <summary>The log of the cluster's state lies beside the topics' logs under this name, and is no topic.</summary>
    public const string Metadata = DataDirectory.MetadataTopic;

    /// <summary>Internal topics are not written by clients.</summary>
    public static bool IsInternal(string name) => name is Offsets or "__transaction_state";

    /// <summary>Whether a name has one of the two characters that metrics' names do not tell apart.</summary>
    public static bool MayCollide(string name) => name.AsSpan().ContainsAny('.', '_');

    /// <summary>Whether two names differ in '.' against '_' only.</summary>
    public static bool Collide(string one, string other)
    {
        if (one.Length != other.Length)
        {
            return false;
        }
        for (int i = 0; i < one.Length; i++)
        {
            if (one[i] != other[i] && !(one[i] is '.' or '_' && other[i] is '.' or '_'))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>What is wrong with a name, in Kafka's words; null when nothing is.</summary>
    public static string? Problem(string name) =>
        name.Length == 0 ? "Topic name is invalid: the empty string is not allowed"
        : name is "." or ".." ? $"Topic name is invalid: '{name}' is not allowed"
        : name.Length > LengthMax ? $"Topic name is invalid: the length of '{name}' is longer than the max allowed length {LengthMax}"
        : name == Metadata ? $"Topic name is invalid: '{name}' is not allowed"
        : !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? $"Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        : null;
}
