namespace LogPipeline.Simulation;

public sealed class StoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Broker_and_sink(ulong seed)
    {
        var story = new Story(seed, verbose: true, cast: Cast.BrokerAndSink);
        story.Run();
        if (story.World.Failure is { } failure)
        {
            File.WriteAllLines($"/tmp/sim-{seed}.txt", story.World.Trace.Lines);
            Assert.Fail($"seed {seed}: {failure.Rule}: {failure.What} at {failure.At}; {story.Lines.Count} lines, {story.World.EventCount} events");
        }
    }
}
