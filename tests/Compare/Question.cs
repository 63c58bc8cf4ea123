using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Compare;

/// <summary>Something to ask of both brokers in each version that both serve.</summary>
internal abstract class Question(string name, Api api, short from, short to)
{
    public string Name => name;

    public Api Api => api;

    /// <summary>The first version that can say it.</summary>
    public short From => from;

    /// <summary>The last version that can say it.</summary>
    public short To => to;

    /// <summary>The answer as lines <c>field=value</c>; one line when the connection was closed instead.</summary>
    public abstract Task<IReadOnlyList<string>> AskAsync(Scene scene, short version);
}

/// <summary>A request, made anew for each version, since it may name what only this version creates or removes.</summary>
internal sealed class Question<TRequest, TResponse>(string name, Func<Scene, short, TRequest> make, short from = 0, short to = short.MaxValue)
    : Question(name, TRequest.Api, from, to)
    where TRequest : class, IRequest<TResponse>
    where TResponse : class, IWireStruct, new()
{
    public override async Task<IReadOnlyList<string>> AskAsync(Scene scene, short version)
    {
        TResponse? response = await scene.AskAsync<TRequest, TResponse>(make(scene, version), version);
        return response is null ? ["connection=closed"] : Rendering.Lines(response);
    }
}
