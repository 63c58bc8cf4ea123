namespace LogPipeline.Sinks.Commands;

/// <summary>Carries commands from where they are found to where they are done.</summary>
public interface ICommandBus
{
    /// <summary>Commands for the sink are done at this desk, until the result is disposed.</summary>
    IDisposable Connect(string sink, CommandDesk desk);

    /// <summary>Returns at once. A command may be sent again; it is done once.</summary>
    void Send(SinkCommand command);
}
