using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Tests;

public sealed class CheckedBytesTests
{
    [Fact]
    public void It_knows_what_a_plain_list_of_bytes_knows()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            int end = random.Next(1, 200);
            var bytes = new CheckedBytes(end);
            bool[] model = new bool[end];
            for (int step = 0; step < 40; step++)
            {
                int from = random.Next(220);
                int to = from + random.Next(1, 30);
                switch (random.Next(20))
                {
                    case 0:
                        end = Math.Min(end, from);
                        bytes.EndAt(from);
                        break;
                    case < 10:
                        bytes.Add(from, to, 1000 + to);
                        Array.Fill(model, true, Math.Min(from, model.Length), Math.Max(0, Math.Min(to, model.Length) - from));
                        break;
                    default:
                        break;
                }
                bool isCovered = bytes.Cover(from, to);
                bool isChecked = Enumerable.Range(from, to - from).All(at => at >= end || model[at]);
                Assert.True(!isCovered || isChecked, $"seed {seed}: {from} to {to} was never checked");
                if (bytes.CheckedTo(from) is { } reached && reached.Position <= end)
                {
                    Assert.Equal(1000 + reached.Position, reached.NextOffset);
                    Assert.True(Enumerable.Range(from, (int)reached.Position - from).All(at => model[at]));
                }
            }
        }
    }

    [Fact]
    public void Readers_at_several_places_remember_what_each_of_them_has_read()
    {
        var bytes = new CheckedBytes(1000);
        for (int at = 0; at < 100; at += 10)
        {
            for (int reader = 0; reader < 10; reader++)
            {
                int from = (reader * 100) + at;
                Assert.False(bytes.Cover(from, from + 10));
                bytes.Add(from, from + 10, from + 10);
                Assert.True(bytes.Cover(reader * 100, from + 10));
            }
        }
        Assert.True(bytes.IsComplete);
    }

    [Fact]
    public void More_places_than_it_remembers_are_checked_again_and_never_taken_for_checked()
    {
        var bytes = new CheckedBytes(1000);
        for (int at = 0; at < 1000; at += 10)
        {
            bytes.Add(at, at + 5, at);
        }
        Assert.InRange(Enumerable.Range(0, 100).Count(n => bytes.Cover(n * 10, (n * 10) + 5)), 1, 16);
        Assert.False(bytes.Cover(0, 10));
    }

    [Fact]
    public void What_is_written_behind_what_was_found_needs_no_check()
    {
        var bytes = new CheckedBytes(100);
        Assert.True(bytes.Cover(100, 1000));
        Assert.False(bytes.Cover(99, 1000));
        bytes.EndAt(40);
        Assert.True(bytes.Cover(40, 1000));
        bytes.EndAt(0);
        Assert.True(bytes.IsComplete);
        Assert.True(new CheckedBytes(0).IsComplete);
    }
}
