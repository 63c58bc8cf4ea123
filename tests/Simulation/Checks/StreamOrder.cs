using System.Globalization;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Workload;

namespace LogPipeline.Simulation.Checks;

/// <summary>The lines of an input that is no file lie in one partition, in the order in which they were written.</summary>
internal static class StreamOrder
{
    public const string Rule = "a stream keeps its order";

    /// <param name="world">Where it is told.</param>
    /// <param name="streams">The lines of each input, in order.</param>
    /// <param name="topic">What the topic holds.</param>
    public static void Check(World world, IReadOnlyList<IReadOnlyList<Line>> streams, IReadOnlyList<TopicLine> topic)
    {
        foreach (IReadOnlyList<Line> stream in streams)
        {
            HashSet<int> ids = [.. stream.Select(static line => line.Id)];
            (int Id, TopicLine Line)? before = null;
            foreach (TopicLine line in topic.Where(static line => !line.IsAgain && line.Position.Part <= 1).OrderBy(static line => line.Partition).ThenBy(static line => line.Offset))
            {
                if (Line.IdAtStartOf(line.Value) is not { } id || !ids.Contains(id))
                {
                    continue;
                }
                if (before is { } last && (last.Id >= id || last.Line.Partition != line.Partition))
                {
                    world.Fail(Rule, string.Create(CultureInfo.InvariantCulture,
                        $"line {id} is at {line.Partition}/{line.Offset}, line {last.Id} at {last.Line.Partition}/{last.Line.Offset}; {stream[0].Story}"));
                    return;
                }
                before = (id, line);
            }
        }
    }
}
