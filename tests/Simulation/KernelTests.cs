using System.Text;
using System.Threading.Channels;
using LogPipeline.Files;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation;

/// <summary>The ground under the simulator: order, time, death and leaks.</summary>
public sealed class KernelTests
{
    [Fact]
    public void One_seed_twice_gives_the_same_trace()
    {
        Assert.Equal(Chatter(7, out string first), Chatter(7, out string second));
        Assert.Equal(first, second);
        Assert.NotEqual(Chatter(7, out _), Chatter(8, out _));
    }

    [Fact]
    public void Time_passes_only_when_nothing_is_ready()
    {
        var world = new World(1);
        DateTimeOffset before = default, after = default;
        var part = new Part(new Machine(world, "host"), "part", async life =>
        {
            before = life.Time.GetUtcNow();
            await Task.Delay(TimeSpan.FromHours(1), life.Time);
            after = life.Time.GetUtcNow();
        });
        part.Start();
        world.Run(TimeSpan.FromHours(2));
        Assert.Equal(TimeSpan.FromHours(1), after - before);
        Assert.Null(part.Life);
    }

    [Fact]
    public void A_dead_life_does_nothing_more_and_its_seams_throw()
    {
        var world = new World(1);
        int ticks = 0;
        Life? first = null;
        var part = new Part(new Machine(world, "host"), "part", async life =>
        {
            first ??= life;
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), life.Time);
                life.Enter("tick");
                ticks++;
            }
        });
        part.Start();
        world.Run(TimeSpan.FromSeconds(10.5));
        part.Kill("test");
        world.Run(TimeSpan.FromSeconds(20));
        Assert.Equal(10, ticks);
        Assert.Throws<SimulatedCrash>(() => first!.Enter("late"));
        part.Start();
        world.Run(TimeSpan.FromSeconds(25.5));
        Assert.Equal(15, ticks);
    }

    [Fact]
    public void A_life_is_cut_at_the_chosen_call()
    {
        for (int call = 1; call <= 5; call++)
        {
            var world = new World(1);
            int effects = 0;
            var part = new Part(new Machine(world, "host"), "part", life =>
            {
                while (true)
                {
                    bool cut = life.Enter("step");
                    effects++;
                    if (cut)
                    {
                        life.CutAfter("step");
                    }
                }
            });
            bool after = call % 2 == 0;
            part.ChooseCrash = () => new CrashPoint(call, after, PowerLoss: false);
            part.Start();
            world.Run(TimeSpan.FromSeconds(1));
            Assert.Null(part.Life);
            Assert.Equal(after ? call : call - 1, effects);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_life_is_cut_after_a_flush_though_other_calls_came_between_unless_it_is_spared(bool spared)
    {
        var world = new World(1);
        var machine = new Machine(world, "host");
        machine.DiskFaults.FlushMax = TimeSpan.FromSeconds(1);
        var part = new Part(machine, "part", async life =>
        {
            MemoryFileSystem files = machine.Attach(life);
            using IFile file = files.Open("/file", FileOpenMode.ReadWrite);
            ValueTask flush = file.FlushAsync();
            file.Write("more"u8, 0);
            if (spared)
            {
                life.Spare();
            }
            await flush;
            await Task.Delay(Timeout.InfiniteTimeSpan, life.Time);
        });
        part.ChooseCrash = static () => new CrashPoint(2, AfterEffect: true, PowerLoss: false);
        part.Start();
        world.Run(TimeSpan.FromSeconds(2));
        Assert.Equal(spared, part.Life is not null);
    }

    [Fact]
    public void A_leak_to_another_thread_fails_the_run()
    {
        var world = new World(1);
        using var leaked = new ManualResetEventSlim();
        var part = new Part(new Machine(world, "host"), "part", async life =>
        {
            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task leak = Leak(life, source.Task, leaked);
            source.SetResult();
            leaked.Wait();
            await leak;
        });
        part.Start();
        world.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("one thread", world.Failure?.Rule);
        Assert.Contains("Leak", world.Failure!.What);

        static async Task Leak(Life life, Task task, ManualResetEventSlim leaked)
        {
            await task.ConfigureAwait(false);
            try
            {
                life.Enter("from elsewhere");
            }
            finally
            {
                leaked.Set();
            }
        }
    }

    [Fact]
    public void Library_code_without_context_stays_on_the_thread()
    {
        var world = new World(1);
        var network = new SimNetwork(world);
        var host = new Machine(world, "host");
        byte[] bytes = new byte[5];
        Server(host, network).Start();
        new Part(host, "client", async life =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), life.Time);
            await using var stream = new LinkStream(await network.ConnectAsync(life, "host", 1, life.Stopping));
            await stream.WriteAsync("he"u8.ToArray());
            await stream.WriteAsync("llo"u8.ToArray());
            // ReadExactlyAsync awaits with ConfigureAwait(false) inside.
            await stream.ReadExactlyAsync(bytes);
            life.Enter("done");
        }).Start();
        world.Run(TimeSpan.FromSeconds(10));
        Assert.Null(world.Failure);
        Assert.Equal("hello", Encoding.ASCII.GetString(bytes));
    }

    [Fact]
    public void An_endless_instant_is_reported()
    {
        var world = new World(1);
        new Part(new Machine(world, "host"), "spinner", async _ =>
        {
            while (true)
            {
                await Task.Yield();
            }
        }).Start();
        world.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("time passes", world.Failure?.Rule);
    }

    [Fact]
    public void A_cut_stream_ends_early_but_has_no_holes()
    {
        int cuts = 0;
        for (ulong seed = 1; seed <= 50; seed++)
        {
            var world = new World(seed);
            var network = new SimNetwork(world) { Faults = { Cut = 0.1, Hold = 0.1, Split = 0.5 } };
            byte expected = 0;
            new Part(new Machine(world, "host"), "server", life =>
            {
                network.Listen(life, "host", 1, async end =>
                {
                    byte[] buffer = new byte[64];
                    try
                    {
                        while (await end.ReceiveAsync(buffer, life.Stopping) is int count and > 0)
                        {
                            Assert.All(buffer[..count], read => Assert.Equal(expected++, read));
                        }
                    }
                    catch (IOException)
                    {
                        cuts++;
                    }
                });
                return Task.Delay(Timeout.InfiniteTimeSpan, life.Time, life.Stopping);
            }).Start();
            new Part(new Machine(world, "app"), "client", async life =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), life.Time);
                await using var stream = new LinkStream(await network.ConnectAsync(life, "host", 1, life.Stopping));
                for (byte next = 0; next < 200; next += 2)
                {
                    await stream.WriteAsync(new byte[] { next, (byte)(next + 1) });
                }
            }).Start();
            world.Run(TimeSpan.FromSeconds(60));
            Assert.Null(world.Failure);
            Assert.True(world.Parts[0].Life is not null, $"seed {seed}: the server read a hole");
        }
        Assert.True(cuts > 25, $"{cuts} cuts");
    }

    private static Part Server(Machine machine, SimNetwork network) => new(machine, "server", async life =>
    {
        network.Listen(life, "host", 1, async end =>
        {
            byte[] buffer = new byte[64];
            try
            {
                while (await end.ReceiveAsync(buffer, life.Stopping) is int count and > 0)
                {
                    await end.SendAsync(buffer.AsMemory(0, count), life.Stopping);
                }
                end.Close();
            }
            catch (IOException)
            {
                // Cut: the client comes again.
            }
        });
        await Task.Delay(Timeout.InfiniteTimeSpan, life.Time, life.Stopping);
    });

    // Three clients, one server that dies now and then, an ugly network: everything the kernel does, in one hash.
    private static ulong Chatter(ulong seed, out string log)
    {
        var world = new World(seed, verbose: true);
        var network = new SimNetwork(world) { Faults = { Cut = 0.05, Hold = 0.02, Split = 0.5, Refuse = 0.1 } };
        Part server = Server(new Machine(world, "host"), network);
        server.ChooseCrash = () => new CrashPoint(world.Random.Next(1, 200), false, world.Chance(0.2));
        server.Ended = (part, _) => world.After(TimeSpan.FromSeconds(3), () =>
        {
            part.Machine.PowerUp();
            part.Start();
        });
        server.Start();
        int echoes = 0;
        for (int i = 0; i < 3; i++)
        {
            new Part(new Machine(world, $"app{i}"), $"client{i}", life => Client(network, life, () => echoes++)).Start();
        }
        world.Run(TimeSpan.FromSeconds(60));
        Assert.Null(world.Failure);
        Assert.True(echoes > 100, $"{echoes} echoes");
        log = string.Join('\n', world.Trace.Lines);
        return world.Trace.Hash;
    }

    private static async Task Client(SimNetwork network, Life life, Action echoed)
    {
        var words = Channel.CreateBounded<byte>(4);
        for (byte turn = 0; ; turn++)
        {
            try
            {
                await using var stream = new LinkStream(await network.ConnectAsync(life, "host", 1, life.Stopping));
                byte[] word = new byte[8];
                while (true)
                {
                    Array.Fill(word, turn++);
                    await stream.WriteAsync(word);
                    byte[] answer = new byte[8];
                    await stream.ReadExactlyAsync(answer);
                    Assert.Equal(word, answer);
                    echoed();
                    await words.Writer.WriteAsync(turn);
                    await words.Reader.ReadAsync();
                    await Task.Delay(TimeSpan.FromMilliseconds(life.Random.Next(100)), life.Time);
                }
            }
            catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(life.Random.Next(500)), life.Time);
            }
        }
    }
}
