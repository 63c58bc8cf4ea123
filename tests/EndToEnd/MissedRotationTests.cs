using System.IO.Compression;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>An agent is away while its log is rotated several times, under names that it does not read.</summary>
public sealed class MissedRotationTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_begun_and_rotated_meanwhile_is_stored_once(bool isKilled)
    {
        StoredLines.Configure(_workspace, _bootstrap, "access.log");
        string log = _workspace.File("access.log");
        await using RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning");
        await broker.ReadyAsync();
        await using RealProcess sink = _workspace.Start("sink", "web");
        await sink.ReadyAsync();
        await File.AppendAllTextAsync(log, "line 1\nline 2\n");
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await first.ReadyAsync();
            await StoredLines.UntilAsync(_workspace, 2, first);
            if (isKilled)
            {
                await first.KillAsync();
            }
            else
            {
                Assert.Equal(0, await first.TerminateAsync());
            }
        }
        await File.AppendAllTextAsync(log, "line 3\n");
        for (int rotation = 1; rotation <= 3; rotation++)
        {
            Rotate(log, rotation);
            await File.AppendAllTextAsync(log, $"line {rotation + 3}\n");
        }
        Assert.Equal(["access.log", "access.log.1", "access.log.2.gz", "access.log.3.gz"], Directory.GetFiles(_workspace.Folder, "access.log*").Select(Path.GetFileName).Order());
        await using (RealProcess second = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await StoredLines.UntilAsync(_workspace, 6, second);
        }
        await File.AppendAllTextAsync(log, "line 7\n");
        await using RealProcess third = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await StoredLines.UntilAsync(_workspace, 7, third);
        (int verified, string output, _) = await _workspace.RunAsync("verify", "web");
        Assert.True(verified == 0 && output.EndsWith("web: 7 rows, each line once\n", StringComparison.Ordinal), output);
    }

    /// <summary>As logrotate does with <c>compress</c> and <c>delaycompress</c>.</summary>
    private static void Rotate(string log, int rotation)
    {
        for (int n = rotation - 1; n >= 2; n--)
        {
            File.Move($"{log}.{n}.gz", $"{log}.{n + 1}.gz");
        }
        if (rotation > 1)
        {
            using (var packed = new GZipStream(File.Create(log + ".2.gz"), CompressionLevel.Fastest))
            {
                packed.Write(File.ReadAllBytes(log + ".1"));
            }
            File.Delete(log + ".1");
        }
        File.Move(log, log + ".1");
    }
}
