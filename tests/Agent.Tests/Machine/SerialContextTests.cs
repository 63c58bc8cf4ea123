using LogPipeline.Agent.Machine;

namespace LogPipeline.Agent.Tests.Machine;

public sealed class SerialContextTests
{
    [Fact]
    public async Task All_that_threads_post_runs_one_at_a_time_and_in_each_threads_order()
    {
        const int Threads = 4;
        const int Posts = 20_000;
        int[] last = new int[Threads];
        int running = 0;
        await SerialContext.RunAsync(async _ =>
        {
            SynchronizationContext context = SynchronizationContext.Current!;
            var done = new TaskCompletionSource();
            int ran = 0;
            for (int i = 0; i < Threads; i++)
            {
                int thread = i;
                new Thread(() =>
                {
                    for (int n = 1; n <= Posts; n++)
                    {
                        int number = n;
                        context.Post(_ =>
                        {
                            Assert.Equal(1, ++running);
                            Assert.Equal(number - 1, last[thread]);
                            last[thread] = number;
                            running--;
                            if (++ran == Threads * Posts)
                            {
                                done.SetResult();
                            }
                        }, null);
                    }
                }).Start();
            }
            await done.Task;
        });
        Assert.All(last, static number => Assert.Equal(Posts, number));
    }

    [Fact]
    public async Task Timers_run_on_the_thread_in_the_order_in_which_they_are_due()
    {
        List<int> ran = [];
        await SerialContext.RunAsync(async time =>
        {
            int thread = Environment.CurrentManagedThreadId;
            var done = new TaskCompletionSource();
            ITimer Start(int number, int milliseconds) => time.CreateTimer(_ =>
            {
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                ran.Add(number);
                if (number == 4)
                {
                    done.SetResult();
                }
            }, null, TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
            Start(4, 40);
            Start(1, 10);
            using ITimer gone = Start(2, 20);
            ITimer later = Start(3, 1);
            later.Change(TimeSpan.FromMilliseconds(30), Timeout.InfiniteTimeSpan);
            gone.Dispose();
            Assert.False(gone.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
            await done.Task;
        });
        Assert.Equal([1, 3, 4], ran);
    }

    [Fact]
    public async Task A_timer_with_a_period_runs_until_it_is_let_go()
    {
        int ran = 0;
        await SerialContext.RunAsync(async time =>
        {
            var done = new TaskCompletionSource();
            ITimer? timer = null;
            timer = time.CreateTimer(_ =>
            {
                if (++ran == 3)
                {
                    timer!.Dispose();
                    done.SetResult();
                }
            }, null, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
            await done.Task;
            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        });
        Assert.Equal(3, ran);
    }

    /// <summary>Each round sets a timer from another thread while this one goes to sleep: were a wake lost, the round would never end.</summary>
    [Fact]
    public async Task A_timer_of_another_thread_wakes_the_thread()
    {
        const int Rounds = 2000;
        int rounds = 0;
        await SerialContext.RunAsync(async time =>
        {
            while (rounds < Rounds)
            {
                var done = new TaskCompletionSource();
                ThreadPool.QueueUserWorkItem(_ => time.CreateTimer(_ => done.SetResult(), null, TimeSpan.FromTicks(rounds % 7), Timeout.InfiniteTimeSpan));
                await done.Task;
                rounds++;
            }
        });
        Assert.Equal(Rounds, rounds);
    }

    [Fact]
    public async Task What_the_work_throws_is_its_outcome() =>
        await Assert.ThrowsAsync<InvalidDataException>(() => SerialContext.RunAsync(static _ => throw new InvalidDataException("so it ends")));
}
