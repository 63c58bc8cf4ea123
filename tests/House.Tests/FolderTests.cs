namespace LogPipeline.House.Tests;

/// <summary>Two folders of one assembly never use each other both ways, directly or through others.</summary>
public class FolderTests
{
    [Fact]
    public void Folders_of_an_assembly_do_not_use_each_other_in_a_circle()
    {
        string[] circles = [.. NamespaceGraph.Read().Circles().Select(circle => string.Join(" <-> ", circle))];
        Assert.True(circles.Length == 0, $"a circle: {string.Join("; ", circles)}");
    }

    [Fact]
    public void A_circle_through_three_folders_is_found()
    {
        var graph = new NamespaceGraph();
        graph.Add("using LogPipeline.Room.B;\n\nnamespace LogPipeline.Room.A;\n");
        graph.Add("using LogPipeline.Room.C;\n\nnamespace LogPipeline.Room.B;\n");
        Assert.Empty(graph.Circles());
        graph.Add("using LogPipeline.Room.A;\n\nnamespace LogPipeline.Room.C;\n");
        Assert.Equal(["LogPipeline.Room.A", "LogPipeline.Room.B", "LogPipeline.Room.C"], Assert.Single(graph.Circles()));
    }

    [Fact]
    public void Another_assembly_and_an_outer_namespace_are_no_circle()
    {
        var graph = new NamespaceGraph();
        graph.Add("using LogPipeline.Other.A;\nusing LogPipeline.Room;\n\nnamespace LogPipeline.Room.A;\n");
        graph.Add("using LogPipeline.Room.A;\n\nnamespace LogPipeline.Room;\n");
        graph.Add("using LogPipeline.Room.A;\n\nnamespace LogPipeline.Other.A;\n");
        Assert.Empty(graph.Circles());
    }
}
