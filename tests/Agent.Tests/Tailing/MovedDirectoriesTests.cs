using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Directories that were renamed, or from which a link was switched, while the agent was away.</summary>
public sealed class MovedDirectoriesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("logpipe-moved-").FullName;
    private readonly OsFileSystem _files = new();

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void What_was_not_read_of_a_file_in_a_renamed_directory_is_read_there() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        rig.Append("b\n");
        rig.Machine.Rename("/logs", "/logs.old");
        rig.Machine.CreateDirectory("/logs");
        rig.Append("c\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        Assert.Equal(["a", "b", "c"], rig.Lines());
        Assert.Equal(0, rig.Log.Count("gone while the agent was away"));
        await rig.StopAsync();
    });

    [Fact]
    public void One_that_was_read_there_to_its_end_is_read_on_when_it_has_grown() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename("/logs", "/logs.old");
        rig.Machine.CreateDirectory("/logs");
        await rig.UntilAsync(() => rig.Agent.Describe().Contains("Finished", StringComparison.Ordinal), "the file is finished");
        await rig.PassAsync(TimeSpan.FromSeconds(2)); // the registry knows
        rig.Kill();
        rig.Append("b\n", "/logs.old/access.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_is_found_where_a_link_led_before_it_was_switched()
    {
        Generation generation = Make("release-6/log/app.log", "current/log/app.log");
        Make("release-7/log/app.log", "");
        Directory.CreateSymbolicLink(PathOf("current"), PathOf("release-7"));
        Assert.Equal(PathOf("release-6/log/app.log"), new MovedDirectories(_files).Find(generation));
    }

    [Theory]
    [InlineData("logs.old/app.log", true)]
    [InlineData("logs-20261128/app.log", true)]
    [InlineData("logs2/app.log", false)]
    [InlineData("other/app.log", false)]
    [InlineData("logs.old/other.log", false)]
    public void Only_directories_that_may_be_the_renamed_one_are_looked_into(string path, bool isFound)
    {
        Generation generation = Make(path, "logs/app.log");
        Make("logs/app.log", "");
        Make("logs.other/app.log", ""); // another file of that name
        Assert.Equal(isFound ? PathOf(path) : null, new MovedDirectories(_files).Find(generation));
    }

    /// <summary>Writes a file that the agent knew under another path.</summary>
    private Generation Make(string path, string before)
    {
        path = PathOf(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "line\n");
        return new Generation
        {
            Id = 1, Topic = "t", FirstPath = PathOf(before), Path = PathOf(before), Identity = FileIdentity.Of(_files.Stat(path)!.Value),
        };
    }

    private string PathOf(string path) => Path.Combine(_root, path);
}
