using System.Collections.Immutable;

namespace LogPipeline.Broker.Settings;

/// <summary>Broker settings that were changed while the broker ran; they go before what its configuration says. Immutable.</summary>
/// <param name="OfBroker">Changed for this broker.</param>
/// <param name="OfCluster">Changed for every broker of the cluster; what is changed for this broker goes before it.</param>
internal sealed record DynamicSettings(
    ImmutableSortedDictionary<string, string> OfBroker, ImmutableSortedDictionary<string, string> OfCluster)
{
    private static readonly ImmutableSortedDictionary<string, string> Empty =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Nothing was changed.</summary>
    public static DynamicSettings None { get; } = new(Empty, Empty);

    /// <summary>The value in force among these; null when the setting was not changed.</summary>
    public string? Value(string name) =>
        OfBroker.GetValueOrDefault(name) ?? OfCluster.GetValueOrDefault(name);

    /// <summary>These settings with those of the broker, or of the cluster, replaced.</summary>
    public DynamicSettings With(bool ofCluster, IEnumerable<KeyValuePair<string, string>> settings)
    {
        ImmutableSortedDictionary<string, string> replaced = Empty.AddRange(settings);
        return ofCluster ? this with { OfCluster = replaced } : this with { OfBroker = replaced };
    }
}
