using LogPipeline.Compare.Questions;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Compare;

/// <summary>One difference between two answers.</summary>
/// <param name="Api">The API that was asked.</param>
/// <param name="Question">What was asked of it.</param>
/// <param name="Field">The field of the answer in which they differ.</param>
/// <param name="Versions">The versions that differ in the same way.</param>
/// <param name="Ours">What we say; "-" where the field is not there.</param>
/// <param name="Kafkas">What Kafka says.</param>
internal sealed record Difference(string Api, string Question, string Field, string Versions, string Ours, string Kafkas);

/// <summary>Asks both brokers everything, in every version that both serve.</summary>
internal sealed class Comparison(string kafka, Peer ours, Peer peer)
{
    private const string Absent = "-";
    private const string There = "there";

    public async Task<List<Difference>> RunAsync()
    {
        using var mine = new Scene(ours.Endpoint);
        using var theirs = new Scene(peer.Endpoint);
        await mine.PrepareAsync();
        await theirs.PrepareAsync();
        Dictionary<short, (short Min, short Max)> myVersions = await VersionsAsync(mine);
        Dictionary<short, (short Min, short Max)> theirVersions = await VersionsAsync(theirs);
        List<Difference> differences = [.. Ranges(myVersions, theirVersions)];
        int asked = 0;
        foreach (Question question in AllQuestions.List)
        {
            short key = (short)question.Api.Key;
            if (!myVersions.TryGetValue(key, out (short Min, short Max) my) || !theirVersions.TryGetValue(key, out (short Min, short Max) their))
            {
                continue; // the ranges tell that
            }
            var found = new List<(short Version, string Field, string Ours, string Kafkas)>();
            for (short version = Largest(question.From, my.Min, their.Min); version <= Smallest(question.To, my.Max, their.Max); version++)
            {
                found.AddRange(Differ(version, await question.AskAsync(mine, version), await question.AskAsync(theirs, version)));
                asked++;
            }
            differences.AddRange(found
                .GroupBy(static one => (one.Field, one.Ours, one.Kafkas))
                .Select(same => new Difference(question.Api.Key.ToString(), question.Name, same.Key.Field, Join(same.Select(static one => one.Version)), same.Key.Ours, same.Key.Kafkas)));
        }
        Console.WriteLine($"Kafka {kafka}: {asked} questions asked of both.");
        return differences;
    }

    private static async Task<Dictionary<short, (short Min, short Max)>> VersionsAsync(Scene scene) =>
        (await scene.AskAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), 0))!.ApiKeys.ToDictionary(static api => api.ApiKey, static api => (api.MinVersion, api.MaxVersion));

    private static IEnumerable<Difference> Ranges(Dictionary<short, (short Min, short Max)> ours, Dictionary<short, (short Min, short Max)> kafkas) =>
        from key in ours.Keys.Union(kafkas.Keys).Order()
        let my = ours.TryGetValue(key, out (short Min, short Max) mine) ? mine : default((short Min, short Max)?)
        let their = kafkas.TryGetValue(key, out (short Min, short Max) range) ? range : default((short Min, short Max)?)
        from end in my is null || their is null
            ? [("served", my is null ? Absent : There, their is null ? Absent : There)]
            : new[] { ("oldest", $"{my.Value.Min}", $"{their.Value.Min}"), ("newest", $"{my.Value.Max}", $"{their.Value.Max}") }
        where end.Item2 != end.Item3
        select new Difference(NameOf(key), "versions", end.Item1, "0", end.Item2, end.Item3);

    private static string NameOf(short key) => Enum.IsDefined((Protocol.ApiKey)key) ? ((Protocol.ApiKey)key).ToString() : $"api {key}";

    private static IEnumerable<(short Version, string Field, string Ours, string Kafkas)> Differ(short version, IReadOnlyList<string> ours, IReadOnlyList<string> kafkas)
    {
        Dictionary<string, string> mine = Fields(ours, version);
        Dictionary<string, string> theirs = Fields(kafkas, version);
        HashSet<string> myElements = [.. mine.Keys.SelectMany(Elements)];
        HashSet<string> theirElements = [.. theirs.Keys.SelectMany(Elements)];
        return (from field in mine.Keys.Union(theirs.Keys)
                let my = mine.GetValueOrDefault(field, Absent)
                let their = theirs.GetValueOrDefault(field, Absent)
                where my != their
                let only = Elements(field).FirstOrDefault(element => !myElements.Contains(element) || !theirElements.Contains(element))
                select only is null ? (version, field, my, their)
                    : (version, only, myElements.Contains(only) ? There : Absent, theirElements.Contains(only) ? There : Absent)).Distinct();
    }

    /// <summary>The elements of arrays that a field is in, the outermost first.</summary>
    private static IEnumerable<string> Elements(string field)
    {
        for (int i = 0; i < field.Length; i++)
        {
            if (field[i] == ']')
            {
                yield return field[..(i + 1)];
            }
        }
    }

    // Some questions name what only this version creates, by its number: that is no difference between versions.
    private static Dictionary<string, string> Fields(IReadOnlyList<string> lines, short version)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in lines.Select(line => line.Replace($"-{version}\"", "-N\"", StringComparison.Ordinal)))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            fields[line[..equals]] = line[(equals + 1)..];
        }
        return fields;
    }

    private static string Join(IEnumerable<short> versions)
    {
        short[] sorted = [.. versions.Order()];
        return sorted[^1] - sorted[0] == sorted.Length - 1 && sorted.Length > 1 ? $"{sorted[0]}-{sorted[^1]}" : string.Join(',', sorted);
    }

    private static short Largest(params short[] numbers) => numbers.Max();

    private static short Smallest(params short[] numbers) => numbers.Min();
}
