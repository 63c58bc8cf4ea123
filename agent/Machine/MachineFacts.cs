namespace LogPipeline.Agent.Machine;

/// <summary>What this machine says of itself; empty where it does not.</summary>
internal static class MachineFacts
{
    public static AgentOptions Complete(AgentOptions options) => options with
    {
        Host = options.Host.Length > 0 ? options.Host : Environment.MachineName,
        MachineId = options.MachineId.Length > 0 ? options.MachineId : ReadLine("/etc/machine-id"),
        BootId = options.BootId.Length > 0 ? options.BootId : ReadLine("/proc/sys/kernel/random/boot_id"),
    };

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
