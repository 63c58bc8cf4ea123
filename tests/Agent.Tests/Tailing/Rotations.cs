using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Rotates the rig's log as one or another program does, and gives lines to write.</summary>
internal static class Rotations
{
    public const string Log = AgentRig.LogPath;

    public static string[] Lines(string of, int count) => [.. Enumerable.Range(1, count).Select(n => $"{of}: line {n} of {count}, long enough to be told from others")];

    public static string Text(string of, int from, int count) => string.Concat(Lines(of, count).Skip(from - 1).Select(static line => line + "\n"));

    public static void Rotate(AgentRig rig, string how, int rotation)
    {
        if (how == "dates")
        {
            rig.Machine.Rename(Log, $"{Log}-202611{rotation + 10}");
            return;
        }
        if (how == "counts of a day")
        {
            rig.Machine.Rename(Log, $"{Log}.2026-11-26.{rotation + 7}");
            return;
        }
        if (how == "rising counts")
        {
            rig.Machine.Rename(Log, $"{Log}.{rotation + 8}");
            if (rotation > 1)
            {
                rig.Compress($"{Log}.{rotation + 7}", $"{Log}.{rotation + 7}.gz");
            }
            return;
        }
        for (int n = rotation - 1; n >= 1; n--)
        {
            foreach (string suffix in new[] { "", ".gz" }.Where(suffix => rig.Machine.FileExists($"{Log}.{n}{suffix}")))
            {
                rig.Machine.Rename($"{Log}.{n}{suffix}", $"{Log}.{n + 1}{suffix}");
            }
        }
        if (how.StartsWith("copytruncate", StringComparison.Ordinal))
        {
            rig.Append(System.Text.Encoding.UTF8.GetString(AtomicFile.ReadAll(rig.Machine, Log)!), Log + ".1");
            rig.Truncate();
        }
        else
        {
            rig.Machine.Rename(Log, Log + ".1");
        }
        if (how == "compress" && rotation > 1)
        {
            rig.Compress(Log + ".2", Log + ".2.gz"); // delaycompress
        }
        else if (how == "copytruncate, compress")
        {
            rig.Compress(Log + ".1", Log + ".1.gz");
        }
    }
}
