using System.IO.Enumeration;

namespace LogPipeline.Compare;

/// <summary>A difference that stays, and why. The patterns have * for any text.</summary>
internal sealed record KnownDifference(string Kafka, string Api, string Question, string Field, string Reason)
{
    public bool IsUsed { get; set; }

    public bool Matches(string kafka, Difference found) =>
        Fits(Kafka, kafka) && Fits(Api, found.Api) && Fits(Question, found.Question) && Fits(Field, found.Field);

    private static bool Fits(string pattern, string text) => FileSystemName.MatchesSimpleExpression(pattern, text, ignoreCase: false);
}

/// <summary>Reads the list: a difference a line, <c>kafka | api | question | field | reason</c>.</summary>
internal static class KnownDifferences
{
    private const int Columns = 5;

    /// <exception cref="InvalidDataException">A line has not five columns, or no reason.</exception>
    public static List<KnownDifference> Read(string path)
    {
        var list = new List<KnownDifference>();
        foreach (string line in File.ReadLines(path).Where(static line => line.Length > 0 && line[0] != '#'))
        {
            string[] columns = line.Split('|', Columns, StringSplitOptions.TrimEntries);
            if (columns.Length < Columns || columns[^1].Length == 0)
            {
                throw new InvalidDataException($"{path}: not \"kafka | api | question | field | reason\": {line}");
            }
            list.Add(new KnownDifference(columns[0], columns[1], columns[2], columns[3], columns[4]));
        }
        return list;
    }
}
