namespace LogPipeline.Agent.Machine;

/// <summary>The files that systemd's journal consists of.</summary>
internal static class JournalFiles
{
    private static readonly string[] OfThisHost = ["/var/log/journal", "/run/log/journal"];

    /// <summary>
    /// Says which of them this user may not read; null where it may read all. journalctl leaves their entries out and goes on, without a word where
    /// the user has entries of its own.
    /// </summary>
    /// <param name="directory">Where they are; null = the journal of this host.</param>
    public static string? Hidden(string? directory)
    {
        string[] roots = directory is null ? OfThisHost : [directory];
        try
        {
            string[] hidden = [.. roots.Where(Directory.Exists).SelectMany(static root => Directory.EnumerateFiles(root, "*.journal", SearchOption.AllDirectories)).Where(static path => !IsReadable(path))];
            return hidden.Length == 0 ? null
                : $"{hidden[0]}{(hidden.Length > 1 ? $" and {hidden.Length - 1} more" : "")} may not be read by this user, and no entry of it is seen: add the user to group systemd-journal";
        }
        catch (UnauthorizedAccessException refused)
        {
            return $"{refused.Message} No entry of it is seen: add the user to group systemd-journal";
        }
        catch (IOException)
        {
            return null; // journalctl rotates and removes files meanwhile; the next start looks again
        }
    }

    private static bool IsReadable(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true; // gone meanwhile
        }
    }
}
