using System.Text;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>A bit that flips on the disk of a stopped broker.</summary>
public sealed class FlippedBitTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";
    private readonly string _admin = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Nothing_damaged_comes_out_and_log_health_and_metric_say_it()
    {
        await using (RealProcess broker = Broker())
        {
            await broker.ReadyAsync();
            foreach (string line in new[] { "the first", "the second", "the third" })
            {
                await _workspace.RunAsync(Encoding.UTF8.GetBytes(line + "\n"), "produce", "notes", "--bootstrap", _bootstrap);
            }
            await broker.TerminateAsync();
        }
        string segment = _workspace.File("data/notes-0/00000000000000000000.log");
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        int at = bytes.AsSpan().IndexOf("the second"u8);
        Assert.True(at > 0);
        bytes[at + 4] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);

        await using RealProcess restarted = Broker();
        await restarted.ReadyAsync();
        (int status, string output, string errors) = await _workspace.RunAsync("consume", "notes", "--from-beginning", "--limit", "3", "--bootstrap", _bootstrap);
        Assert.Equal((true, "the first\n"), (status != 0, output));
        Assert.Contains("notes-0: the batch at offset 1 cannot be read: the broker finds it damaged on its disk", errors, StringComparison.Ordinal);
        if (Kcat is not null)
        {
            // It gives up by itself at what it cannot read.
            Assert.Equal("the first\n", (await RealProcess.RunAsync(Kcat, _workspace.Folder, ["-b", _bootstrap, "-C", "-q", "-t", "notes", "-o", "beginning", "-c", "3"])).Output);
            Assert.Equal("the third\n", (await RealProcess.RunAsync(Kcat, _workspace.Folder, ["-b", _bootstrap, "-C", "-q", "-e", "-t", "notes", "-o", "2"])).Output);
        }
        await restarted.SaidAsync("notes-0 is damaged in");
        Assert.Matches(@"data/notes-0/00000000000000000000\.log at position [1-9]\d*: the batch's checksum is wrong\. Offsets 1 to 2 \(exclusive\) are not served", restarted.Errors);
        using var http = new HttpClient();
        Assert.Matches("(?m)^logpipe_broker_damaged_batches_total(\\{[^}]*\\})? 1$", await http.GetStringAsync(new Uri($"http://{_admin}/metrics")));
        using HttpResponseMessage health = await http.GetAsync(new Uri($"http://{_admin}/healthz"));
        Assert.False(health.IsSuccessStatusCode);
        Assert.Contains("broker: 1 batches are damaged and not served, the first is notes-0 at offset 1", await health.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static string? Kcat { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':').Select(static folder => Path.Combine(folder, "kcat")).FirstOrDefault(File.Exists);

    private RealProcess Broker() => _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--admin", _admin, "--log-level", "warning");
}
