using System.Globalization;

namespace LogPipeline.EndToEnd.Tutorials;

/// <summary>
/// A tutorial as a person would see it in a terminal. Lines of the file:
/// <code>
/// # a remark
/// $ a command, as bash reads it
/// what it prints on standard output, line by line
/// ~ the same as a regular expression for the whole line
/// ! a regular expression that standard error must match
/// ? its exit status, where it is not 0
/// </code>
/// </summary>
internal sealed record Transcript(string Name, IReadOnlyList<TypedCommand> Commands)
{
    public static string Folder { get; } = Path.Combine(Harness.Programs.Root, "tests", "EndToEnd", "Tutorials");

    public static Transcript Read(string name)
    {
        var commands = new List<TypedCommand>();
        foreach (string line in File.ReadAllLines(Path.Combine(Folder, name)).Where(static line => line.Length > 0 && line[0] != '#'))
        {
            if (line.StartsWith("$ ", StringComparison.Ordinal))
            {
                commands.Add(new TypedCommand(line[2..]));
                continue;
            }
            TypedCommand last = commands[^1];
            switch (line[..Math.Min(2, line.Length)])
            {
                case "! ":
                    last.Errors.Add(line[2..]);
                    break;
                case "? ":
                    last.Status = int.Parse(line[2..], CultureInfo.InvariantCulture);
                    break;
                default:
                    last.Output.Add(line);
                    break;
            }
        }
        return new Transcript(name, commands);
    }
}

/// <summary>A command and what is expected of it.</summary>
internal sealed class TypedCommand(string text)
{
    public string Text { get; } = text;

    /// <summary>Lines of standard output that are not empty; after ~ a regular expression.</summary>
    public List<string> Output { get; } = [];

    /// <summary>Regular expressions, each found in standard error.</summary>
    public List<string> Errors { get; } = [];

    public int Status { get; set; }
}
