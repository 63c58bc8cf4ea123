using System.Buffers.Binary;
using System.Reflection;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Testing.Fuzz;

/// <summary>Frames over all APIs that the protocol knows: valid ones, valid ones mutated, lengths that lie, cut ones, noise.</summary>
public sealed class RandomFrames(Random random)
{
    private const int PartitionsMax = 4;

    private delegate byte[] Maker(Random random);

    private static readonly Maker[] Makers = [.. typeof(Api).Assembly.GetTypes().SelectMany(Requests)];

    /// <summary>The bytes of one or several frames.</summary>
    public byte[] Next()
    {
        byte[] bytes = Makers[random.Next(Makers.Length)](random);
        return random.Next(8) switch
        {
            0 or 1 => bytes,
            2 or 3 => Flipped(bytes),
            4 => Lying(bytes),
            5 => bytes[..random.Next(bytes.Length)],
            6 => [.. bytes, .. Next()],
            _ => Noise(),
        };
    }

    private static IEnumerable<Maker> Requests(Type type)
    {
        Type? contract = type.GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRequest<>));
        if (contract is null)
        {
            return [];
        }
        MethodInfo make = typeof(RandomFrames).GetMethod(nameof(Make), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(type, contract.GetGenericArguments()[0]);
        return [make.CreateDelegate<Maker>()];
    }

    private static byte[] Make<TRequest, TResponse>(Random random)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IWireStruct, new()
    {
        short version = (short)random.Next(TRequest.Api.MinVersion, TRequest.Api.MaxVersion + 1);
        var request = new TRequest();
        var wire = new RandomWire(random, version);
        request.Transfer(ref wire);
        KeepSmall(request);
        using FrameBuffer frame = Frames.Request<TRequest, TResponse>(request, version, random.Next(), random.Next(5) == 0 ? null : "fuzz");
        byte[] bytes = new byte[frame.TotalLength];
        frame.CopyTo(bytes);
        return bytes;
    }

    /// <summary>Lets no request ask for thousands of partitions: a run would then measure how fast the disk makes files.</summary>
    private static void KeepSmall(object request)
    {
        switch (request)
        {
            case CreateTopicsRequest create:
                create.Topics.ForEach(static topic => topic.NumPartitions = Math.Min(topic.NumPartitions, PartitionsMax));
                break;
            case CreatePartitionsRequest grow:
                grow.Topics.ForEach(static topic => topic.Count = Math.Min(topic.Count, PartitionsMax));
                break;
            default:
                break;
        }
    }

    private byte[] Flipped(byte[] bytes)
    {
        for (int flips = random.Next(1, 6); flips > 0; flips--)
        {
            bytes[random.Next(4, bytes.Length)] = random.Next(3) switch { 0 => 0xff, 1 => 0x7f, _ => (byte)random.Next(256) };
        }
        return bytes;
    }

    /// <summary>Overwrites some length or count, the frame's own now and then, with one that is not true.</summary>
    private byte[] Lying(byte[] bytes)
    {
        int at = random.Next(4) == 0 ? 0 : random.Next(bytes.Length - 3);
        int lie = random.Next(5) switch { 0 => int.MaxValue, 1 => int.MinValue, 2 => -1, 3 => 100_000_000, _ => random.Next(1 << 20) };
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), lie);
        return bytes;
    }

    private byte[] Noise()
    {
        byte[] bytes = new byte[random.Next(1, 200)];
        random.NextBytes(bytes);
        if (random.Next(2) == 0 && bytes.Length > 4)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - 4);
        }
        return bytes;
    }
}
