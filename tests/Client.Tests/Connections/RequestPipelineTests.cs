using LogPipeline.Client.Connections;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Connections;

public sealed class RequestPipelineTests
{
    [Fact]
    public async Task A_request_whose_answer_is_here_is_never_overdue()
    {
        var time = new ManualTime();
        var broker = new ScriptedBroker();
        broker.On<MetadataRequest, MetadataResponse>(static _ => new MetadataResponse());
        Stream stream = await broker.ConnectAsync("b", 1, CancellationToken.None);
        await using var pipeline = new RequestPipeline(stream, new BrokerEndpoint("b", 1), answerBytesMax: 1000, time);
        pipeline.Start();
        // Its caller goes on, and time passes, before the read loop has taken it off the list.
        var request = new Late(time) { Deadline = time.GetTimestamp() + (time.TimestampFrequency / 2) };
        pipeline.Send(request);
        await request.Answered;
        Assert.False(pipeline.IsBroken);
    }

    private sealed class Late(ManualTime time)
        : PendingRequest(MetadataRequest.Api, version: 1, correlationId: 1, Frames.Request<MetadataRequest, MetadataResponse>(new MetadataRequest(), 1, 1, "test"))
    {
        private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Answered => _answered.Task;

        public override void Complete(ReadOnlyMemory<byte> answer, FrameLease? lease)
        {
            time.Advance(TimeSpan.FromSeconds(1)); // the deadline is long gone
            _answered.SetResult();
        }

        public override void Fail(Exception reason) => _answered.TrySetException(reason);

        public override void Cancel(CancellationToken ct) => _answered.TrySetCanceled(ct);
    }
}
