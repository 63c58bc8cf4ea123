using LogPipeline.Simulation.Plants;

namespace LogPipeline.Simulation;

/// <summary>The checker checked: each planted fault must be caught, by a rule that it breaks, in a seed that passes without it.</summary>
public sealed class PlantedFaultTests
{
    private const ulong SeedsMax = 2000;

    public static TheoryData<string> Names => [.. Plant.All.Select(static plant => plant.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_planted_fault_is_caught(string name)
    {
        Plant plant = Plant.All.Single(plant => plant.Name == name);
        Assert.True(plant.Catch(SeedsMax) is not null, $"{name}: none of {SeedsMax} seeds broke one of: {string.Join("; ", plant.Rules)}");
    }
}
