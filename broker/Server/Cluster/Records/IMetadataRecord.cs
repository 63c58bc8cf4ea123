using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>
/// One change of the cluster's state, with Kafka's numbers (metadata/src/main/resources/common/metadata of Apache Kafka).
/// </summary>
internal interface IMetadataRecord : IWireStruct
{
    /// <summary>Kafka's number for the kind of record.</summary>
    short Type { get; }

    /// <summary>The version that is written; it is the only one that is read.</summary>
    short Version => 0;
}
