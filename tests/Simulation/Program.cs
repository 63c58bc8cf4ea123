using System.Diagnostics;
using System.Globalization;
using LogPipeline.Simulation.Plants;

namespace LogPipeline.Simulation;

/// <summary>Runs seeds of the crash simulator from the command line and shows the first that fails.</summary>
internal static class Program
{
    private const string Usage = """
        usage: simulate [--seeds N] [--from SEED] [--broker-and-sink] [--retention] [--files] [--archives] [--current-names] [--tables] [--sources] [--trace FILE] [--survey] [--plants]
          Runs N seeds (1000) from SEED (1) on, over all cores. The first that fails is run again and its trace written to FILE
          (artifacts/simulation-SEED.txt). --survey runs them all and lists which rules broke;
          --retention lets every broker keep records for seconds only; --files gives every story a sink of files;
          --archives servers where rotated files are compressed;
          --current-names agents that look for files only under the names under which they are written;
          --sources standard input, syslog and the journal beside an agent's files;
          --tables people who constrain the table, pause the sink and retry dead letters;
          --plants [WORD] breaks the rules one by one, or those with the word in their name, and says who noticed. The last line says `N passed, N failed`.
          Exit status: 0 no seed failed, 1 one did, 2 usage.
        """;

    private const ulong PlantSeeds = 2000;

    public static int Main(string[] arguments)
    {
        ulong seeds = 1000;
        ulong from = 1;
        string? traceFile = null;
        Cast cast = Cast.Whole;
        bool survey = false;
        Action<Story>? weather = null;
        for (int i = 0; i < arguments.Length; i++)
        {
            string? value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            switch (arguments[i])
            {
                case "--seeds" when ulong.TryParse(value, CultureInfo.InvariantCulture, out seeds):
                case "--from" when ulong.TryParse(value, CultureInfo.InvariantCulture, out from):
                    i++;
                    break;
                case "--trace" when value is not null:
                    traceFile = value;
                    i++;
                    break;
                case "--plants":
                    return Plants(value ?? "");
                case "--survey":
                    survey = true;
                    break;
                case "--retention":
                    weather = Weather.Retention;
                    break;
                case "--files":
                    weather = Weather.Files;
                    break;
                case "--current-names":
                    weather = Weather.CurrentNames;
                    break;
                case "--archives":
                    weather = Weather.Archives;
                    break;
                case "--sources":
                    weather = Weather.Sources;
                    break;
                case "--tables":
                    weather = Weather.Tables;
                    break;
                case "--broker-and-sink":
                    cast = Cast.BrokerAndSink;
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }
        return survey ? Survey(from, seeds, cast, weather) : Run(from, seeds, cast, weather, traceFile);
    }

    // Plants each fault in turn and says which rule caught it, and at which seed.
    private static int Plants(string only)
    {
        int missed = 0;
        List<Plant> chosen = [.. Plant.All.Where(plant => plant.Name.Contains(only, StringComparison.Ordinal))];
        foreach (Plant plant in chosen)
        {
            SeedResult? caught = plant.Catch(PlantSeeds);
            missed += caught is null ? 1 : 0;
            Console.WriteLine($"{plant.Name}: {(caught is null ? "NOT CAUGHT" : $"seed {caught.Seed}, {caught.Failure!.Rule}: {caught.Failure.What.Split('\n')[0]}")}");
        }
        return Sum((ulong)(chosen.Count - missed), (ulong)missed);
    }

    // Runs all seeds, failing ones too, and counts what they broke.
    private static int Survey(ulong from, ulong seeds, Cast cast, Action<Story>? weather)
    {
        var broken = new SortedDictionary<string, List<ulong>>(StringComparer.Ordinal);
        long started = Stopwatch.GetTimestamp();
        SeedRun.Many(from, seeds, cast, static () => false, goOn: true, plant: weather, done: result =>
        {
            if (result.Failure is { } failure)
            {
                (broken.TryGetValue(failure.Rule, out List<ulong>? list) ? list : broken[failure.Rule] = []).Add(result.Seed);
                Console.WriteLine($"{result.Seed}: {failure.Rule}: {failure.What.Split('\n')[0]} [{result.Weather}]");
            }
        });
        foreach ((string rule, List<ulong> list) in broken)
        {
            Console.WriteLine($"{rule}: {list.Count} seeds: {string.Join(' ', list.Take(20))}");
        }
        ulong failed = (ulong)broken.Values.Sum(static list => list.Count);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seeds / Stopwatch.GetElapsedTime(started).TotalSeconds:F1} seeds a second"));
        return Sum(seeds - failed, failed);
    }

    // The closing line of all test runs.
    private static int Sum(ulong passed, ulong failed)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed"));
        return failed == 0 ? 0 : 1;
    }

    private static int Run(ulong from, ulong seeds, Cast cast, Action<Story>? weather, string? traceFile)
    {
        long started = Stopwatch.GetTimestamp();
        ulong done = 0;
        long lines = 0;
        long events = 0;
        double simulated = 0;
        double said = 0;
        SeedResult? failed = SeedRun.Many(from, seeds, cast, static () => false, result =>
        {
            done++;
            lines += result.Lines;
            events += result.Events;
            simulated += result.Simulated.TotalHours;
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (seconds - said >= 2)
            {
                said = seconds;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done} of {seeds} seeds, {done / seconds:F1} a second"));
            }
        }, weather);
        double all = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{done} seeds in {all:F1} s, {done / all:F1} a second: {lines} lines, {simulated:F0} simulated hours, {events} events"));
        if (failed is null)
        {
            Console.WriteLine("no seed failed");
            return Sum(done, 0);
        }
        Explain(failed, cast, weather, traceFile);
        return Sum(done - 1, 1);
    }

    private static void Explain(SeedResult failed, Cast cast, Action<Story>? weather, string? traceFile)
    {
        (SeedResult again, IReadOnlyList<string> trace) = SeedRun.Explain(failed.Seed, cast, weather);
        traceFile ??= string.Create(CultureInfo.InvariantCulture, $"artifacts/simulation-{failed.Seed}.txt");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(traceFile))!);
        File.WriteAllLines(traceFile, trace);
        Console.WriteLine($"seed {failed.Seed} FAILED after {failed.Failure!.At.TotalSeconds:F3} s: {failed.Failure.Rule}");
        Console.WriteLine($"  {failed.Failure.What}");
        Console.WriteLine(again.Hash == failed.Hash
            ? $"  repeated exactly; {trace.Count} steps in {traceFile}"
            : $"  NOT repeated exactly: something depends on more than the seed; {trace.Count} steps in {traceFile}");
    }
}
