using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary><c>logpipe broker verify</c> on the directory of a real broker process.</summary>
public sealed class VerifyDirectoryTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Running_brokers_directory_is_refused_a_clean_one_is_sound_and_a_flipped_bit_is_found()
    {
        await using (RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--log-level", "warning"))
        {
            await broker.ReadyAsync();
            await _workspace.RunAsync("one\ntwo\nthree\n"u8.ToArray(), "produce", "notes", "--bootstrap", _bootstrap);
            await _workspace.RunAsync("consume", "notes", "--group", "readers", "--from-beginning", "--limit", "3", "--bootstrap", _bootstrap);
            (int refused, string _, string errors) = await _workspace.RunAsync("broker", "verify", "data");
            Assert.Equal(2, refused);
            Assert.Contains("is locked by", errors, StringComparison.Ordinal);
            await broker.TerminateAsync();
        }
        (int sound, string told, string _) = await _workspace.RunAsync("broker", "verify", "data");
        Assert.Equal(0, sound);
        Assert.Matches(@"^read \d+ partitions, \d+ segments, \d+ batches, \d+ records, \d+ bytes: all as written\n$", told);
        string segment = _workspace.File("data/notes-0/00000000000000000000.log");
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        bytes[^3] ^= 4;
        await File.WriteAllBytesAsync(segment, bytes);
        (int damaged, string found, string _) = await _workspace.RunAsync("broker", "verify", "data", "--all");
        Assert.Equal(1, damaged);
        Assert.Matches(@"data/notes-0/00000000000000000000\.log is damaged at position \d+, offset \d: the batch's checksum is wrong\n", found);
        Assert.Equal(2, (await _workspace.RunAsync("broker", "verify", "nowhere")).Status);
    }
}
