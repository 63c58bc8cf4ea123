using System.Text.Json;
using System.Text.Json.Serialization;

namespace LogPipeline.Contract.Reports;

/// <summary>Writes and reads reports without reflection, which a native program does not have.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentReport))]
public sealed partial class ReportJson : JsonSerializerContext
{
    public static byte[] Write(AgentReport report) => JsonSerializer.SerializeToUtf8Bytes(report, Default.AgentReport);

    /// <summary>Null when the bytes are no report.</summary>
    public static AgentReport? TryRead(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, Default.AgentReport);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
