namespace LogPipeline.Cli.Running;

/// <summary>Something that runs in this process until it is disposed, which stops it clean: a broker, an agent, a sink.</summary>
internal interface IPart : IAsyncDisposable
{
    /// <summary>As errors and health name it: <c>broker</c>, <c>sink web_log</c>.</summary>
    string Name { get; }

    /// <summary>Starts it, and gives what the line <c>ready: …</c> says of it.</summary>
    Task<string> StartAsync(CancellationToken stop);

    /// <summary>Ends only by a failure, as long as the part is not stopped.</summary>
    Task Running { get; }
}
