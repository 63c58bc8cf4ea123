using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>A broker began a new life.</summary>
internal sealed class RegisterBrokerRecord : IMetadataRecord
{
    public const int TypeId = 0;

    public int BrokerId;

    /// <summary>Identifies one life of the broker's process; not used here, since one process at a time can hold the directory.</summary>
    public Guid IncarnationId;

    public long BrokerEpoch;

    /// <summary>Where clients reach it; without those listeners whose clients are told the address that they came in on.</summary>
    public List<EndPoint> EndPoints = [];

    public List<Feature> Features = [];
    public string? Rack;
    public bool Fenced;

    public short Type => TypeId;

    public static RegisterBrokerRecord Of(BrokerImage broker) => new()
    {
        BrokerId = broker.Id,
        BrokerEpoch = broker.Epoch,
        EndPoints = [.. broker.Addresses.Select(
            static one => new EndPoint { Name = one.Key, Host = one.Value.Host, Port = (short)one.Value.Port })],
    };

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref BrokerId);
        wire.Uuid(ref IncarnationId);
        wire.Int64(ref BrokerEpoch);
        wire.Array(ref EndPoints);
        wire.Array(ref Features);
        wire.NullableString(ref Rack);
        wire.Bool(ref Fenced);
        wire.End();
    }

    public sealed class EndPoint : IWireStruct
    {
        public string Name = "";
        public string Host = "";

        /// <summary>Unsigned on the wire.</summary>
        public short Port;

        public short SecurityProtocol;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.String(ref Host);
            wire.Int16(ref Port);
            wire.Int16(ref SecurityProtocol);
            wire.End();
        }
    }

    public sealed class Feature : IWireStruct
    {
        public string Name = "";
        public short MinSupportedVersion;
        public short MaxSupportedVersion;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int16(ref MinSupportedVersion);
            wire.Int16(ref MaxSupportedVersion);
            wire.End();
        }
    }
}
