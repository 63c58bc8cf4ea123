using System.Text.RegularExpressions;
using System.Threading.Channels;

namespace LogPipeline.Interop.Groups;

/// <summary>Members of one consumer group, each a kcat process, and what the test has seen of them.</summary>
internal sealed partial class KcatGroup(string address, string name, string topic) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Channel<(ForeignProcess From, string Line)> _lines = Channel.CreateUnbounded<(ForeignProcess, string)>();
    private readonly Dictionary<ForeignProcess, int[]> _owned = [];

    /// <summary>Partition and value of each record, in the order of reading.</summary>
    public List<(int Partition, string Value)> Read { get; } = [];

    public ForeignProcess Join()
    {
        var member = new ForeignProcess(
            "kcat",
            [
                "-b", address, "-u", "-f", "%p|%s\n",
                "-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=500",
                "-X", "partition.assignment.strategy=roundrobin", "-G", name, topic,
            ],
            _lines);
        _owned[member] = [];
        return member;
    }

    public async Task KillAsync(ForeignProcess member)
    {
        await member.KillAsync();
        _owned.Remove(member);
    }

    public IReadOnlyList<int> OwnedBy(ForeignProcess member) => _owned[member];

    /// <summary>A member that has a partition.</summary>
    public ForeignProcess Owner(ForeignProcess besides) => _owned.First(member => member.Key != besides && member.Value.Length > 0).Key;

    /// <summary>How many partitions each member has, most first.</summary>
    public int[] Shares => [.. _owned.Values.Select(static owned => owned.Length).OrderDescending()];

    /// <summary>Follows the members until what is wanted has come.</summary>
    public async Task UntilAsync(Func<KcatGroup, bool> isReached)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (!isReached(this))
            {
                Take(await _lines.Reader.ReadAsync(patience.Token));
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The members have {string.Join(' ', Shares)} partitions and have read {Read.Count} records.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ForeignProcess member in _owned.Keys)
        {
            await member.DisposeAsync();
        }
    }

    private void Take((ForeignProcess From, string Line) said)
    {
        if (Rebalanced().Match(said.Line) is { Success: true } rebalanced)
        {
            if (_owned.ContainsKey(said.From))
            {
                _owned[said.From] = rebalanced.Groups["verb"].Value == "assigned"
                    ? [.. Partition().Matches(rebalanced.Groups["rest"].Value).Select(static one => int.Parse(one.Groups[1].ValueSpan))]
                    : [];
            }
        }
        else if (said.Line.Split('|') is [string partition, string value])
        {
            Read.Add((int.Parse(partition), value));
        }
    }

    [GeneratedRegex("^% Group .* rebalanced .*: (?<verb>assigned|revoked):(?<rest>.*)$")]
    private static partial Regex Rebalanced();

    [GeneratedRegex(@"\[(\d+)\]")]
    private static partial Regex Partition();
}
