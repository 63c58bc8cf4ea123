using LogPipeline.Broker.Network;

namespace LogPipeline.Broker.Requests;

/// <summary>What a handler knows of a request besides its body.</summary>
internal sealed record RequestContext(ClientConnection Connection, short Version, int CorrelationId, string ClientId);
