using LogPipeline.Files;

namespace LogPipeline.AgentProgram;

/// <summary>
/// The arguments with the bytes that they were given with. The runtime takes them for UTF-8; a path may be other bytes, as a shell completes it,
/// or be written as <c>\xE9</c>, as this program shows such bytes.
/// </summary>
internal static class CommandLine
{
    private const char Replacement = '\ufffd'; // what the runtime put in place of bytes that are not UTF-8

    public static string[] WithTheirBytes(string[] args)
    {
        if (!args.Any(static arg => arg.Contains(Replacement, StringComparison.Ordinal)))
        {
            return [.. args.Select(PathText.Parse)];
        }
        List<string> given = Split(File.ReadAllBytes("/proc/self/cmdline"));
        return [.. given[^args.Length..]];
    }

    /// <summary>Each argument ends with a NUL.</summary>
    private static List<string> Split(byte[] commandLine)
    {
        List<string> args = [];
        for (int from = 0; from < commandLine.Length;)
        {
            int end = Array.IndexOf(commandLine, (byte)0, from);
            args.Add(PathText.Decode(commandLine.AsSpan(from..end)));
            from = end + 1;
        }
        return args;
    }
}
