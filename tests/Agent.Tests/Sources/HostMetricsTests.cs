using System.Text;
using LogPipeline.Agent.Sources;

namespace LogPipeline.Agent.Tests.Sources;

/// <summary>Text as the kernel writes it to /proc becomes one line of JSON.</summary>
public sealed class HostMetricsTests
{
    private static readonly Dictionary<string, string> First = new()
    {
        ["stat"] = """
            cpu  6200400 100 1736300 1852500 82300 0 56200 0 40 0
            cpu0 3096846 32059 854840 966280 25380 0 20017 0 0 0
            cpu1 3103598 30169 881461 886268 56951 0 36264 0 0 0
            intr 55464433 0 0
            ctxt 1
            """,
        ["meminfo"] = """
            MemTotal:       24683620 kB
            MemFree:         8795384 kB
            MemAvailable:   11930184 kB
            Cached:          1000000 kB
            SwapTotal:             0 kB
            SwapFree:              0 kB
            HugePages_Total:       0
            """,
        ["loadavg"] = "12.07 10.75 9.82 20/268 32254\n",
        ["diskstats"] = """
               7       7 loop7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
             254       0 vda 732357 81427 1000 1653188 9056259 1651725 2000 5709110 0 2455160 9210320 1441454 956 933817368 597592 2853047 1250429
             254       1 vda1 732357 81427 1000 1653188 9056259 1651725 2000 5709110 0 2455160 9210320
             259       0 nvme0n1 1 2 10 4 5 6 20 8 0 100 11
             259       1 nvme0n1p1 1 2 10 4 5 6 20 8 0 100 11
             253       0 dm-0 1 2 30 4 5 6 40 8 0 200 11
             253       0 zram0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
            """,
        ["net/dev"] = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo: 2776770   11307    0    0    0     0          0         0  2776770   11307    0    0    0     0       0          0
              eth0:1215645    2751    1    0    0     0          0         0  1782404    4324    2    0    0   427       0          0
            """,
    };

    [Fact]
    public void Two_samples_make_a_line_with_percentages_and_rates()
    {
        Dictionary<string, string> second = new(First)
        {
            ["stat"] = First["stat"].Replace("cpu  6200400 100 1736300 1852500 82300 0 56200 0 40 0", "cpu  6200800 200 1736400 1852700 82400 0 56300 0 40 0", StringComparison.Ordinal),
            ["diskstats"] = First["diskstats"].Replace("1653188 9056259 1651725 2000 5709110 0 2455160", "1653188 9056259 1651725 22000 5709110 0 2460160", StringComparison.Ordinal),
            ["net/dev"] = First["net/dev"].Replace("eth0:1215645    2751    1", "eth0: 1225645    2751    4", StringComparison.Ordinal),
        };
        byte[] line = HostMetricsLine.Write(
            new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero), HostSample.Read(name => First[name]), HostSample.Read(name => second[name]),
            TimeSpan.FromSeconds(10), [new VolumeSpace("/", 1000, 400)]);
        Assert.Equal(
            """{"time":"2026-01-02T03:04:05.678Z","cpu":{"cores":2,"user":50,"system":20,"iowait":10,"steal":0,"idle":20},"load":[12.07,10.75,9.82],"""
            + """ "memory":{"total":25276026880,"available":12216508416,"cached":1024000000,"swap_total":0,"swap_free":0},""".TrimStart()
            + """ "disks":{"dm-0":{"read":0,"written":0,"busy":0},"nvme0n1":{"read":0,"written":0,"busy":0},"vda":{"read":0,"written":1024000,"busy":50}},""".TrimStart()
            + """ "volumes":{"/":{"total":1000,"free":400}},"networks":{"eth0":{"received":1000,"sent":0,"errors":3}}}""".TrimStart() + "\n",
            Encoding.UTF8.GetString(line));
    }

    [Fact]
    public void What_a_kernel_does_not_say_is_left_out()
    {
        var empty = HostSample.Read(static _ => "");
        string line = Encoding.UTF8.GetString(HostMetricsLine.Write(DateTimeOffset.UnixEpoch, empty, empty, TimeSpan.Zero, []));
        Assert.Contains("\"cores\":0", line, StringComparison.Ordinal);
        Assert.Contains("\"disks\":{},\"volumes\":{},\"networks\":{}}", line, StringComparison.Ordinal);
    }
}
