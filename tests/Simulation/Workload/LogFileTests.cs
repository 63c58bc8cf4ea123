using System.Globalization;
using System.Text;
using LogPipeline.Agent.State;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Time;

namespace LogPipeline.Simulation.Workload;

/// <summary>Which lines the checker lets come twice, because a crash left too little before its cut to know a copy by.</summary>
public sealed class LogFileTests
{
    private const string Path = "/logs/0.log";
    private const int Less = Fingerprint.LengthMax - 1;

    private readonly MemoryFileSystem _files = new(new MemoryDisk(new ManualTime()));
    private readonly List<Line> _lines = [];

    public LogFileTests() => _files.CreateDirectory("/logs");

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void Less_than_a_fingerprint_before_the_cut_is_what_the_crash_left(int fragment)
    {
        LogFile file = Crash(Written(Less), Less + fragment);
        Assert.Equal(_lines[..2], file.LeftByCrash);
    }

    [Fact]
    public void A_whole_fingerprint_before_the_cut_tells_copies_apart() =>
        Assert.Empty(Crash(Written(Fingerprint.LengthMax), Fingerprint.LengthMax).LeftByCrash);

    [Fact]
    public void A_file_that_was_truncated_begins_anew()
    {
        LogFile file = Crash(Written(Less), Less);
        Assert.NotEmpty(file.LeftByCrash);
        file.Truncate("test");
        Assert.Empty(file.LeftByCrash);
    }

    [Fact]
    public void A_crash_that_took_nothing_left_nothing() => Assert.Empty(Crash(Written(200), long.MaxValue).LeftByCrash);

    /// <summary>Two lines that reached the disk, of so many bytes together, and one that did not.</summary>
    private LogFile Written(int synced)
    {
        var file = new LogFile(_files, Path, default);
        Append(file, 100);
        Append(file, synced - 100);
        file.Sync();
        Append(file, 100);
        return file;
    }

    private void Append(LogFile file, int bytes)
    {
        string start = string.Create(CultureInfo.InvariantCulture, $"L{_lines.Count:D6} ");
        var line = new Line(_lines.Count, Encoding.ASCII.GetBytes(start.PadRight(bytes - 2, 'x') + "$"));
        _lines.Add(line);
        file.Append(line, carriageReturn: false);
    }

    private LogFile Crash(LogFile file, long keep)
    {
        file.CutUnsynced(new CutAt(keep));
        return LogFile.Found(_files, Path, _lines, isWritten: true, new Dictionary<ulong, LogFile> { [file.Inode] = file }, wasCompared: false, now: default);
    }

    private sealed class CutAt(long keep) : Random
    {
        public override int Next(int maxValue) => maxValue - 1;

        public override long NextInt64(long minValue, long maxValue) => Math.Clamp(keep, minValue, maxValue - 1);
    }
}
