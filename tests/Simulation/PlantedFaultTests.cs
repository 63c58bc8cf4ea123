using LogPipeline.Simulation.Plants;

namespace LogPipeline.Simulation;

/// <summary>The checker checked: each planted fault must be caught.</summary>
public sealed class PlantedFaultTests
{
    private const ulong SeedsMax = 2000;

    public static TheoryData<string> Names => [.. Plant.All.Select(static plant => plant.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_planted_fault_is_caught(string name)
    {
        Plant plant = Plant.All.Single(plant => plant.Name == name);
        SeedResult? caught = SeedRun.Many(1, SeedsMax, plant.Cast, static () => false, plant: plant.Break);
        Assert.True(caught is not null, $"{name}: {SeedsMax} seeds saw nothing");
        Assert.NotEqual("the simulator works", caught.Failure!.Rule);
        Assert.NotEqual("one thread", caught.Failure.Rule);
    }
}
