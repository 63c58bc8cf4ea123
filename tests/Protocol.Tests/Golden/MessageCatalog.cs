using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests.Golden;

/// <summary>Every request and response of the assembly, found by reflection so that none is forgotten.</summary>
public static class MessageCatalog
{
    /// <summary>Request and response types with their API, in the order of the keys.</summary>
    public static IReadOnlyList<(Type Request, Type Response, Api Api)> All { get; } =
    [
        .. from type in typeof(Api).Assembly.GetTypes()
           from face in type.GetInterfaces()
           where face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IRequest<>)
           let api = (Api)type.GetProperty("Api")!.GetValue(null)!
           orderby api.Key
           select (type, face.GetGenericArguments()[0], api),
    ];

    /// <summary>A codec for one message type, so that tests can loop over types.</summary>
    public static IMessageCodec CodecOf(Type message) => (IMessageCodec)Activator.CreateInstance(typeof(Codec<>).MakeGenericType(message))!;

    private sealed class Codec<T> : IMessageCodec
        where T : class, IWireStruct, new()
    {
        public object Fresh() => new T();

        public object Fill(short version, bool flexible, bool nulls)
        {
            var message = new T();
            var fill = new GoldenFill(version, flexible, nulls);
            message.Transfer(ref fill);
            return message;
        }

        public byte[] Write(object message, short version, bool flexible)
        {
            using var frame = new FrameBuffer();
            var wire = new WireWriter(frame, version, flexible);
            ((T)message).Transfer(ref wire);
            return frame.Splices.Count == 0 ? frame.Bytes.ToArray() : throw new InvalidOperationException("test messages are small");
        }

        public object Read(ReadOnlyMemory<byte> bytes, short version, bool flexible, out int left)
        {
            var message = new T();
            var wire = new WireReader(bytes, version, flexible);
            message.Transfer(ref wire);
            left = wire.Remaining;
            return message;
        }
    }
}

/// <summary>Reads and writes bodies of one message type.</summary>
public interface IMessageCodec
{
    object Fresh();

    object Fill(short version, bool flexible, bool nulls);

    byte[] Write(object message, short version, bool flexible);

    object Read(ReadOnlyMemory<byte> bytes, short version, bool flexible, out int left);
}
