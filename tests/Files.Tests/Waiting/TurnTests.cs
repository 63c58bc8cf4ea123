using LogPipeline.Files.Waiting;

namespace LogPipeline.Files.Tests.Waiting;

public sealed class TurnTests
{
    private readonly List<string> _done = [];
    private readonly Action _first;
    private readonly Action _second;

    public TurnTests() => (_first, _second) = (() => _done.Add("first"), () => _done.Add("second"));

    [Fact]
    public void Outside_a_turn_work_is_done_at_once()
    {
        Turn.AtEnd(_first);
        Turn.AtEnd(_first);
        Assert.Equal(["first", "first"], _done);
    }

    [Fact]
    public void Within_a_turn_work_waits_for_its_end_and_is_done_once_in_the_order_of_asking()
    {
        using (Turn.Begin())
        {
            Turn.AtEnd(_first);
            Turn.AtEnd(_second);
            Turn.AtEnd(_first);
            Assert.Empty(_done);
        }
        Assert.Equal(["first", "second"], _done);
    }

    [Fact]
    public void An_inner_turn_is_part_of_the_outer_one()
    {
        using (Turn.Begin())
        {
            using (Turn.Begin())
            {
                Turn.AtEnd(_first);
            }
            Assert.Empty(_done);
        }
        Assert.Equal(["first"], _done);
    }

    [Fact]
    public void What_is_put_off_at_the_end_is_done_in_the_same_turn_even_when_it_was_done_before()
    {
        int times = 0;
        Action again = null!;
        again = () =>
        {
            if (++times < 3)
            {
                Turn.AtEnd(again);
            }
        };
        using (Turn.Begin())
        {
            Turn.AtEnd(again);
        }
        Assert.Equal(3, times);
    }

    [Fact]
    public void Another_thread_has_turns_of_its_own()
    {
        using (Turn.Begin())
        {
            var other = new Thread(() => Turn.AtEnd(_first));
            other.Start();
            other.Join();
            Assert.Equal(["first"], _done);
        }
    }
}
