using System.Globalization;
using LogPipeline.EndToEnd.Harness;
using LogPipeline.Testing.Fuzz;
using Xunit.Abstractions;

namespace LogPipeline.EndToEnd.Fuzz;

/// <summary>
/// Frames over all APIs and versions, sound, damaged, cut and lying, sent to a real broker over real sockets. <c>LOGPIPE_FUZZ_FRAMES</c> and
/// <c>LOGPIPE_FUZZ_SEED</c> ask for another number and other frames.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int Attackers = 4;
    private const int FramesPerConnectionMax = 8;

    /// <summary>What the broker may take at its peak, whatever comes in: about three times what it takes under an honest load.</summary>
    private const long MemoryMax = 400L << 20;

    private static readonly long s_frames = Setting("LOGPIPE_FUZZ_FRAMES", 20_000);
    private static readonly int s_seed = (int)Setting("LOGPIPE_FUZZ_SEED", 1);

    private readonly Workspace _workspace = new();
    private readonly int _port = Ports.Free(2);
    private long _sent;

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Broken_and_hostile_clients_cost_themselves_and_nobody_else()
    {
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", $"127.0.0.1:{_port}", "--admin", $"127.0.0.1:{_port + 1}", "--log-level", "error");
        await broker.ReadyAsync();
        using var stop = new CancellationTokenSource();
        var neighbour = new Neighbour(_port);
        Task beside = Task.Factory.StartNew(() => neighbour.Run(stop.Token), TaskCreationOptions.LongRunning);
        Task[] attacks = [.. Enumerable.Range(0, Attackers).Select(i => Task.Factory.StartNew(() => Attack(s_seed + i), TaskCreationOptions.LongRunning))];
        Task attacked = Task.WhenAll(attacks);
        await await Task.WhenAny(beside, attacked);
        await attacked;
        await stop.CancelAsync();
        await beside;
        output.WriteLine($"{_sent} frames, {await RequestsAsync()} requests taken, {neighbour.Records} records of the neighbour, {broker.PeakMemory >> 20} MiB at the peak, {broker.CpuTime.TotalSeconds:F0} s of CPU");
        Assert.InRange(broker.PeakMemory, 0, MemoryMax);
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Equal("", broker.Errors);
        Assert.Contains("all as written", (await _workspace.RunAsync("broker", "verify", "data")).Output, StringComparison.Ordinal);
    }

    private static long Setting(string name, long otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>How many requests the broker read whole and gave to a handler, its neighbour's counted too.</summary>
    private async Task<double> RequestsAsync()
    {
        using var http = new HttpClient();
        string metrics = await http.GetStringAsync(new Uri($"http://127.0.0.1:{_port + 1}/metrics"));
        return metrics.Split('\n').Where(line => line.StartsWith("logpipe_broker_requests_total", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    private void Attack(int seed)
    {
        var random = new Random(seed);
        var frames = new RandomFrames(random);
        var bytes = new List<byte>();
        while (Interlocked.Read(ref _sent) < s_frames)
        {
            int count = random.Next(1, FramesPerConnectionMax + 1);
            bytes.Clear();
            for (int i = 0; i < count; i++)
            {
                bytes.AddRange(frames.Next());
            }
            using var connection = new FrameConnection(_port);
            connection.Flood(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes), reset: random.Next(8) == 0);
            Interlocked.Add(ref _sent, count);
        }
    }
}
