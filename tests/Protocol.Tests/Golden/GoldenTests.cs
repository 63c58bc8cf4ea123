namespace LogPipeline.Protocol.Tests.Golden;

/// <summary>Every message in every version against the bytes that Apache Kafka's own classes write.</summary>
public class GoldenTests
{
    /// <summary>Fresh messages that differ from Kafka's on purpose: a nullable text or array is null with us, empty there.</summary>
    private static readonly HashSet<string> OwnDefaults =
    [
        "Metadata request", "OffsetFetch request", "FindCoordinator response", "JoinGroup response", "InitProducerId request",
        "DescribeLogDirs request", "ElectLeaders request", "AlterPartitionReassignments response", "ListPartitionReassignments response",
        "UpdateFeatures response", "DescribeQuorum response",
    ];

    public static TheoryData<ApiKey> Keys => [.. MessageCatalog.All.Select(m => m.Api.Key)];

    [Theory]
    [MemberData(nameof(Keys))]
    public void Filled_messages_are_kafkas_bytes_both_ways(ApiKey key)
    {
        foreach (Line line in Golden(key).Where(l => l.Filling != "default"))
        {
            bool flexible = line.Api.IsFlexible(line.Version);
            object filled = line.Codec.Fill(line.Version, flexible, nulls: line.Filling == "null");
            Assert.Equal((line.Name, line.Hex), (line.Name, Convert.ToHexStringLower(line.Codec.Write(filled, line.Version, flexible))));

            object read = line.Codec.Read(Convert.FromHexString(line.Hex), line.Version, flexible, out int left);
            Assert.Equal((line.Name, 0), (line.Name, left));
            Assert.Equal((line.Name, line.Hex), (line.Name, Convert.ToHexStringLower(line.Codec.Write(read, line.Version, flexible))));
        }
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_fresh_message_has_kafkas_defaults(ApiKey key)
    {
        var wrong = new List<string>();
        foreach (Line line in Golden(key).Where(l => l.Filling == "default" && !OwnDefaults.Contains($"{l.Api.Key} {l.Kind}")))
        {
            string ours = Convert.ToHexStringLower(line.Codec.Write(line.Codec.Fresh(), line.Version, line.Api.IsFlexible(line.Version)));
            if (ours != line.Hex)
            {
                wrong.Add($"{line.Name}: ours {ours}, Kafka's {line.Hex}");
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Headers_have_kafkas_versions_and_no_version_is_missing(ApiKey key)
    {
        List<Line> lines = [.. Golden(key)];
        foreach (Line line in lines)
        {
            int ours = line.Kind == "request" ? line.Api.RequestHeaderVersion(line.Version) : line.Api.ResponseHeaderVersion(line.Version);
            Assert.Equal((line.Name, line.HeaderVersion), (line.Name, ours));
        }
        Api api = lines[0].Api;
        Assert.Equal(
            Enumerable.Range(api.MinVersion, api.MaxVersion - api.MinVersion + 1),
            lines.Select(l => (int)l.Version).Distinct().Order());
    }

    /// <summary>The bytes of every message, version and filling.</summary>
    internal static IEnumerable<(ApiKey Key, bool IsRequest, short Version, byte[] Bytes)> AllBytes() =>
        from message in MessageCatalog.All
        from line in Golden(message.Api.Key)
        select (line.Api.Key, line.Kind == "request", line.Version, Convert.FromHexString(line.Hex));

    private static IEnumerable<Line> Golden(ApiKey key)
    {
        (Type request, Type response, Api api) = MessageCatalog.All.Single(m => m.Api.Key == key);
        foreach (string text in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Golden", $"{key}.txt")).Where(t => !t.StartsWith('#')))
        {
            string[] parts = text.Split(' ');
            short version = short.Parse(parts[1]);
            if (version >= api.MinVersion && version <= api.MaxVersion)
            {
                IMessageCodec codec = MessageCatalog.CodecOf(parts[0] == "request" ? request : response);
                yield return new Line(api, codec, parts[0], version, int.Parse(parts[2]), parts[3], parts[4].Trim('-'));
            }
        }
    }

    private sealed record Line(Api Api, IMessageCodec Codec, string Kind, short Version, int HeaderVersion, string Filling, string Hex)
    {
        public string Name => $"{Api.Key} {Kind} v{Version} {Filling}";
    }
}
