namespace LogPipeline.EndToEnd.Harness;

/// <summary>A test that makes journal files; skipped where journalctl or systemd-journal-remote is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresJournalFactAttribute : FactAttribute
{
    public const string Remote = "/lib/systemd/systemd-journal-remote";

    public RequiresJournalFactAttribute()
    {
        if (!File.Exists(Remote) || !File.Exists("/usr/bin/journalctl"))
        {
            Skip = "journalctl and systemd-journal-remote are not installed";
        }
    }
}
