using LogPipeline.Agent.Machine;
using LogPipeline.Contract.Reports;
using LogPipeline.Files;

namespace LogPipeline.Agent.Inspection;

/// <summary>An agent as its state directory shows it, whether it runs or not.</summary>
public static class AgentInspection
{
    /// <exception cref="IOException">The directory cannot be read, or is damaged, or of another version.</exception>
    public static AgentReport FromState(AgentOptions options, IFileSystem files)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(files);
        return StateView.Load(files, options.StateDirectory).Report(MachineFacts.Complete(options), files);
    }
}
