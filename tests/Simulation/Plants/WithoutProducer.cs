using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Network;

namespace LogPipeline.Simulation.Plants;

/// <summary>Connections on which each produced batch loses its producer id: the broker can tell no repeat.</summary>
internal sealed class WithoutProducer(IConnector inner) : IConnector
{
    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken ct) =>
        new Stripping(await inner.ConnectAsync(host, port, ct));

    private sealed class Stripping(Stream inner) : ConnectionStream
    {
        private readonly List<byte> _frame = [];

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _frame.AddRange(buffer.Span);
            var whole = new List<byte>();
            while (_frame.Count >= 4)
            {
                int size = 4 + BinaryPrimitives.ReadInt32BigEndian(CollectionsMarshal.AsSpan(_frame));
                if (_frame.Count < size)
                {
                    break;
                }
                byte[] frame = [.. _frame.Take(size)];
                _frame.RemoveRange(0, size);
                Strip(frame.AsMemory(4));
                whole.AddRange(frame);
            }
            return whole.Count == 0 ? ValueTask.CompletedTask : inner.WriteAsync(whole.ToArray(), cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }

        private static void Strip(Memory<byte> frame)
        {
            if (BinaryPrimitives.ReadInt16BigEndian(frame.Span) != (short)ApiKey.Produce)
            {
                return;
            }
            RequestHeader header = Frames.ReadRequestHeader(frame, out int size);
            ProduceRequest request = Frames.ReadRequest<ProduceRequest, ProduceResponse>(frame[size..], header.Version);
            foreach (ProduceRequest.TopicDataEntry.PartitionDataEntry? partition in request.TopicData.SelectMany(static topic => topic.PartitionData))
            {
                RecordBatch.SetProducer(MemoryMarshal.AsMemory(partition.Records.Memory).Span, -1, -1, -1);
            }
        }
    }
}
