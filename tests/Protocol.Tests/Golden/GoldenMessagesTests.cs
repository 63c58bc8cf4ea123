using System.Reflection;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests.Golden;

/// <summary>Every message in every version against bytes that Apache Kafka's own schemas made.</summary>
public class GoldenMessagesTests
{
    private static readonly Dictionary<(string Message, short Version), string> Expected = Load();

    public static TheoryData<string> Apis() =>
        [.. typeof(ProduceRequest).Assembly.GetTypes().Where(type => type.Name.EndsWith("Request", StringComparison.Ordinal) && type.GetProperty("Api") is not null)
            .Select(type => type.Name[..^"Request".Length]).Order()];

    [Theory]
    [MemberData(nameof(Apis))]
    public void Requests_are_written_and_read_as_apache_kafka_does(string name)
    {
        Check(name, "Request");
    }

    [Theory]
    [MemberData(nameof(Apis))]
    public void Responses_are_written_and_read_as_apache_kafka_does(string name)
    {
        Check(name, "Response");
    }

    /// <summary>The bytes of every message and version, in the file's order.</summary>
    internal static IEnumerable<byte[]> AllBytes() => Expected.OrderBy(entry => entry.Key).Select(entry => Convert.FromHexString(entry.Value));

    private static void Check(string name, string kind)
    {
        Api api = ApiOf(name);
        Type type = typeof(ProduceRequest).Assembly.GetType($"LogPipeline.Protocol.Messages.{name}{kind}")!;
        MethodInfo check = typeof(GoldenMessagesTests).GetMethod(nameof(CheckVersion), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type);
        int found = 0;
        for (short version = api.MinVersion; version <= api.MaxVersion; version++)
        {
            if (Expected.TryGetValue((name + kind, version), out string? hex))
            {
                check.Invoke(null, [version, api.IsFlexible(version), hex]);
                found++;
            }
        }
        Assert.True(found > 0 && Expected.ContainsKey((name + kind, api.MaxVersion)), $"no golden bytes of {name}{kind} version {api.MaxVersion}");
    }

    internal static Api ApiOf(string name) =>
        (Api)typeof(ProduceRequest).Assembly.GetType($"LogPipeline.Protocol.Messages.{name}Request")!.GetProperty("Api")!.GetValue(null)!;

    private static void CheckVersion<T>(short version, bool flexible, string hex)
        where T : class, IWireStruct, new()
    {
        var filler = new GoldenFiller(version, flexible);
        var message = new T();
        message.Transfer(ref filler);
        Assert.Equal((version, hex), (version, Written(message, version, flexible)));

        var reader = new WireReader(Convert.FromHexString(hex), version, flexible);
        var read = new T();
        read.Transfer(ref reader);
        Assert.Equal(0, reader.Remaining);
        Assert.Equal((version, hex), (version, Written(read, version, flexible)));
    }

    internal static string Written<T>(T message, short version, bool flexible)
        where T : class, IWireStruct
    {
        using var frame = new FrameBuffer();
        var writer = new WireWriter(frame, version, flexible);
        message.Transfer(ref writer);
        return Convert.ToHexStringLower(frame.Bytes.Span);
    }

    private static Dictionary<(string, short), string> Load()
    {
        using Stream stream = typeof(GoldenMessagesTests).Assembly.GetManifestResourceStream("messages.txt")!;
        using var text = new StreamReader(stream);
        var expected = new Dictionary<(string, short), string>();
        while (text.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                string[] parts = line.Split(' ');
                expected.Add((parts[0], short.Parse(parts[1])), parts[2] == "-" ? "" : parts[2]);
            }
        }
        return expected;
    }
}
