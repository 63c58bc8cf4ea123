using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>
/// Random stories of a writer, a rotation and an agent that is stopped, killed and started, over a broker whose connections
/// break before and after it took a batch. Every line that stayed readable is stored exactly once, in its file's order.
/// </summary>
public sealed class TailingModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Every_line_is_stored_once(int seed) => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Paths = [AgentRig.LogPath + "*"] }] };
        var random = new Random(seed);
        var chance = new Random(seed + 1000);
        rig.Broker.Fate = _ => chance.Next(12) switch
        {
            0 => ProduceFate.DropConnection,
            1 => ProduceFate.TakeThenDropConnection,
            _ => ProduceFate.Take,
        };
        List<string> written = [];
        int rotations = 0;
        bool running = false;
        for (int step = 0; step < 120; step++)
        {
            switch (random.Next(12))
            {
                case 0 when !running:
                    await rig.StartAsync();
                    running = true;
                    break;
                case 1 when running:
                    rig.Kill();
                    running = false;
                    break;
                case 2 when running:
                    await rig.StopAsync();
                    running = false;
                    break;
                case 3 when written.Count > 0:
                    if (rig.Machine.FileExists(AgentRig.LogPath))
                    {
                        rig.Machine.Rename(AgentRig.LogPath, $"{AgentRig.LogPath}.{++rotations}");
                    }
                    break;
                case 4 when running:
                    await rig.UntilAsync(() => rig.Agent.IsCaughtUp, $"seed {seed}: caught up at step {step}");
                    if (random.Next(2) == 0)
                    {
                        rig.Broker.ForgetProducers();
                    }
                    break;
                case 5 when running:
                    await rig.PassAsync(TimeSpan.FromMilliseconds(random.Next(1, 10)));
                    break;
                default:
                    string line = $"{seed}-{written.Count}-{new string('x', random.Next(60))}";
                    written.Add(line);
                    int half = random.Next(line.Length);
                    rig.Append(line[..half]);
                    await Task.Yield();
                    rig.Append(line[half..] + "\n");
                    break;
            }
        }
        rig.Broker.Fate = _ => ProduceFate.Take;
        if (!running)
        {
            await rig.StartAsync();
        }
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Stored().Count >= written.Count, $"seed {seed}: all {written.Count} lines");
        Assert.Equal(written.Order(), rig.Stored().Order());
        await rig.StopAsync();
    });

    /// <summary>Rotated files get names that no pattern matches, are written to late, and are renamed again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Every_line_of_a_file_that_is_no_longer_matched_is_stored_once(int seed) => AgentRig.OnOneThread(async rig =>
    {
        var random = new Random(seed);
        List<string> written = [];
        List<string> rotated = [];
        int names = 0;
        bool running = false;
        async Task ToggleAsync()
        {
            await (!running ? rig.StartAsync() : random.Next(2) == 0 ? rig.StopAsync() : KillAsync());
            running = !running;
        }
        Task KillAsync()
        {
            rig.Kill();
            return Task.CompletedTask;
        }
        string NextName() => $"{AgentRig.LogPath}.{++names}";
        void Write(string path)
        {
            written.Add($"{seed}-{written.Count}");
            rig.Append(written[^1] + "\n", path);
        }
        await ToggleAsync();
        for (int step = 0; step < 150; step++)
        {
            int any = random.Next(rotated.Count + 1);
            switch (random.Next(10))
            {
                case 0:
                    await ToggleAsync();
                    break;
                case 1 when running && rig.Machine.FileExists(AgentRig.LogPath):
                    // Only what was seen under its first name can be known by another.
                    await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Stored().Count == written.Count, $"seed {seed}: caught up at step {step}");
                    rotated.Add(NextName());
                    rig.Machine.Rename(AgentRig.LogPath, rotated[^1]);
                    break;
                case 2 when any < rotated.Count:
                    string name = NextName();
                    rig.Machine.Rename(rotated[any], name);
                    rotated[any] = name;
                    break;
                case 3 or 4 when any < rotated.Count:
                    Write(rotated[any]);
                    break;
                case 5 when running:
                    await rig.PassAsync(rig.Options.RotatedQuiet * random.Next(3));
                    break;
                default:
                    Write(AgentRig.LogPath);
                    break;
            }
        }
        if (!running)
        {
            await rig.StartAsync();
        }
        await rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Stored().Count >= written.Count, $"seed {seed}: all {written.Count} lines");
        await rig.PassAsync(rig.Options.RotatedQuiet * 3);
        Assert.Equal(written.Order(), rig.Stored().Order());
        await rig.StopAsync();
    });
}
