namespace LogPipeline.Agent.Machine;

/// <summary>What this machine says of itself; empty where it does not.</summary>
internal static class MachineFacts
{
    public static AgentOptions Complete(AgentOptions options) => Named(options) with
    {
        MachineId = options.MachineId.Length > 0 ? options.MachineId : ReadLine("/etc/machine-id"),
        OwnPaths = [.. options.OwnPaths, .. OwnOutputs()],
        BootId = options.BootId.Length > 0 ? options.BootId : ReadLine("/proc/sys/kernel/random/boot_id"),
    };

    /// <summary>With the name that records carry: the configured one, else the machine's.</summary>
    public static AgentOptions Named(AgentOptions options) => options.Host.Length > 0 ? options : options with { Host = Environment.MachineName };

    /// <summary>The files that this process's own lines go to, where its output is redirected.</summary>
    private static IEnumerable<string> OwnOutputs()
    {
        foreach (string descriptor in (string[])["/proc/self/fd/1", "/proc/self/fd/2"])
        {
            string? target = null;
            try
            {
                target = File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName;
            }
            catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
            {
                // Then it is not told from other files.
            }
            if (target is not null && File.Exists(target))
            {
                yield return target;
            }
        }
    }

    private static string ReadLine(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
