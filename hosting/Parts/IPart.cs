namespace LogPipeline.Hosting.Parts;

/// <summary>Something that runs in this process until it is disposed, which stops it clean: a broker, an agent, a sink.</summary>
public interface IPart : IAsyncDisposable
{
    /// <summary>Its name in errors and in the health answer: <c>broker</c>, <c>sink web_log</c>.</summary>
    string Name { get; }

    /// <summary>Starts it and returns what the line <c>ready: …</c> says about it.</summary>
    Task<string> StartAsync(CancellationToken stop);

    /// <summary>What keeps a part that starts or runs from doing all it should, in one line; null when all is well. It only reads state.</summary>
    string? Problem => null;

    /// <summary>What people should know of a part that is well, in one line, such as that a person paused it; null when there is nothing. It only reads state.</summary>
    string? Note => null;

    /// <summary>Whether the parts after it do not wait for its start, which may take as long as what it needs is away.</summary>
    bool StartsBeside => false;

    /// <summary>Completes when the part fails, or after it was stopped.</summary>
    Task Running { get; }
}
