using System.Text.Json;
using System.Text.RegularExpressions;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd.Packaging;

/// <summary>A Containerfile of <c>deploy/container</c>, as far as those go: what makes the image, and what an engine would run in it.</summary>
internal sealed partial record Containerfile(IReadOnlyList<string> Runs, string User, string Folder, string Volume, string[] EntryPoint, string[] Command, string[] HealthCheck)
{
    /// <summary>Where a step finds the repository.</summary>
    public const string Context = "/build";

    public string[] WholeCommand => [.. EntryPoint, .. Command];

    /// <exception cref="FormatException">It has an instruction that these tests would pass over.</exception>
    public static Containerfile Read(string name)
    {
        List<string> runs = [];
        var words = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in File.ReadLines(Path.Combine(Programs.Root, "deploy", "container", name)).Where(static line => line.Length > 0 && line[0] != '#'))
        {
            string[] halves = line.Split(' ', 2);
            switch (halves[0])
            {
                case "RUN" when Step().Match(halves[1]) is { Success: true } step:
                    runs.Add(step.Groups[1].Value);
                    break;
                case "FROM" or "USER" or "WORKDIR" or "VOLUME" or "EXPOSE" or "HEALTHCHECK" or "ENTRYPOINT" or "CMD":
                    words.Add(halves[0], halves[1]);
                    break;
                default:
                    throw new FormatException($"{name}: {line}");
            }
        }
        Assert.Equal("docker.io/library/debian:12-slim", words["FROM"]);
        return new Containerfile(runs, words["USER"], words["WORKDIR"], words["VOLUME"], Exec(words["ENTRYPOINT"]), Exec(words["CMD"]), Exec(words["HEALTHCHECK"].Split("CMD ")[1]));
    }

    // The exec form: the program is the container's first process, and gets its signals.
    private static string[] Exec(string words) => JsonSerializer.Deserialize<string[]>(words)!;

    [GeneratedRegex($"^--mount=type=bind,target={Context} (.+)$")]
    private static partial Regex Step();
}
