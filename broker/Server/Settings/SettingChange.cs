namespace LogPipeline.Broker.Settings;

/// <summary>What a change does to a setting; the numbers are those of IncrementalAlterConfigs (KIP-339).</summary>
internal enum SettingOperation : sbyte
{
    Set = 0,

    /// <summary>The setting is inherited again.</summary>
    Delete = 1,

    /// <summary>Adds elements to a list; those that are in it already stay where they are.</summary>
    Append = 2,

    /// <summary>Takes elements out of a list.</summary>
    Subtract = 3,
}

/// <summary>One change of one setting.</summary>
/// <param name="Name">Which setting.</param>
/// <param name="Operation">What is done to it.</param>
/// <param name="Value">The new value, or the elements to add or take out, separated by commas; without meaning for Delete.</param>
internal sealed record SettingChange(string Name, SettingOperation Operation, string? Value)
{
    /// <summary>Makes the change in a resource's own settings.</summary>
    /// <param name="given">The settings to change.</param>
    /// <param name="definition">The setting; null when there is none of that name.</param>
    /// <param name="inherited">Its value without <paramref name="given"/>.</param>
    /// <returns>Why it cannot be made, in Kafka's words; null when it was made.</returns>
    public string? Apply(Dictionary<string, string> given, SettingDefinition? definition, string? inherited)
    {
        switch (Operation)
        {
            case SettingOperation.Set:
                given[Name] = Value!.Trim();
                return null;
            case SettingOperation.Delete:
                given.Remove(Name);
                return null;
            case SettingOperation.Append or SettingOperation.Subtract when definition?.Type != SettingType.List:
                return $"Can't {Operation.ToString().ToUpperInvariant()} to key {Name} because its type is not LIST.";
            default:
                List<string> elements = Elements(given.GetValueOrDefault(Name) ?? inherited ?? "");
                List<string> told = Elements(Value!);
                given[Name] = string.Join(',', Operation == SettingOperation.Append ? elements.Union(told) : elements.Except(told));
                return null;
        }
    }

    private static List<string> Elements(string list) =>
        [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
}
