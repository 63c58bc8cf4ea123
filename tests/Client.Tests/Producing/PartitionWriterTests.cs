using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Producing;

public sealed class PartitionWriterTests
{
    private const int InFlightMax = 3;

    private readonly ManualTime _time = new();
    private readonly PartitionWriter<Batch> _writer;

    public PartitionWriterTests()
    {
        _writer = new PartitionWriter<Batch>(_time);
        _writer.Begin(new ProducerIdentity(7, 0));
    }

    [Fact]
    public void One_batch_goes_out_until_the_broker_knows_the_producer()
    {
        Batch[] batches = AddAll(5);
        Assert.Equal([0], Send());
        Ack(batches[0]);
        Assert.Equal([1, 2, 3], Send());
    }

    [Fact]
    public void A_producer_that_was_silent_for_long_begins_with_one_again()
    {
        Batch[] batches = AddAll(4);
        Send();
        Ack(batches[0]);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal([1], Send());
    }

    [Fact]
    public void What_is_not_ready_holds_back_what_follows()
    {
        Batch[] batches = AddAll(3);
        _writer.Proven();
        batches[1].IsReady = false;
        Assert.Equal([0], Send());
        batches[1].IsReady = true;
        Assert.Equal([1, 2], Send());
    }

    [Fact]
    public void After_a_failure_all_come_back_and_go_again_one_at_a_time_before_anything_new()
    {
        Batch[] batches = AddAll(5);
        _writer.Proven();
        Send();
        batches[0].IsInFlight = false;
        _writer.Recover();
        Assert.Empty(Send());
        batches[1].IsInFlight = batches[2].IsInFlight = false;
        Assert.False(_writer.HasRoom(InFlightMax));
        Assert.Equal([0], Send());
        Ack(batches[0]);
        Assert.Equal([1], Send());
        Ack(batches[1]);
        Assert.Equal([2], Send());
        Ack(batches[2]);
        Assert.Equal([3, 4], Send());
    }

    [Theory]
    [InlineData(-1, 0)] // nothing of it
    [InlineData(9, 1)]
    [InlineData(19, 2)]
    [InlineData(29, 3)]
    [InlineData(14, null)] // in the middle of a batch
    [InlineData(39, null)] // beyond ours
    public void What_the_broker_has_is_told_by_its_last_sequence(int lastSequence, int? stored)
    {
        AddAll(3);
        Assert.Equal(stored, _writer.StoredOf(lastSequence < 0 ? int.MaxValue : lastSequence));
    }

    [Fact]
    public void What_the_leader_has_is_acked_by_sending_the_last_of_it_again()
    {
        Batch[] batches = AddAll(5);
        _writer.Proven();
        Send();
        _writer.Recover();
        Array.ForEach(batches, b => b.IsInFlight = false);
        _writer.ResumeAt(_writer.StoredOf(19)!.Value);
        Assert.Same(batches[1], _writer.First);
        Assert.Equal([1], Send());
        Assert.Equal(batches[..2], _writer.AckedBy(batches[1]));
        Ack(batches[0]);
        Ack(batches[1]);
        Assert.Equal([2], Send());
    }

    [Fact]
    public void A_batch_without_records_is_not_sent_and_holds_nothing_back()
    {
        _writer.Proven();
        Batch[] batches = [Add(0, count: 0), Add(1), Add(2, count: 0), Add(3)];
        Assert.Equal([1, 3], Send());
        Assert.Equal([0, 0, 10, 10], batches.Select(b => b.BaseSequence));
    }

    private Batch[] AddAll(int count) => [.. Enumerable.Range(0, count).Select(i => Add(i))];

    private Batch Add(int number, int count = 10)
    {
        var batch = new Batch(number, count, _writer.TakeSequences(count));
        _writer.Add(batch);
        return batch;
    }

    private List<int> Send()
    {
        List<int> sent = [];
        while (_writer.Next(InFlightMax) is Batch batch)
        {
            sent.Add(batch.Number);
        }
        return sent;
    }

    private void Ack(Batch batch)
    {
        _writer.Proven();
        _writer.Resolve(batch);
    }

    private sealed class Batch(int number, int count, int baseSequence) : ISequencedBatch
    {
        public int Number => number;

        public int Count => count;

        public int BaseSequence => baseSequence;

        public bool IsReady { get; set; } = true;

        public bool IsSent { get; set; }

        public bool IsInFlight { get; set; }
    }
}
