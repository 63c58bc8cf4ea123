using LogPipeline.Agent.Inspection;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Inputs whose topic is a template: each file has its own topic, from the begin of its generation to its end, whatever its name is by then.</summary>
public sealed class TopicByPathTests
{
    private const string Old = "/logs/app.log";
    private const string New = "/logs/app-1.log";

    /// <summary>Longer than what is read in these tests, so that length alone shows no cut.</summary>
    private const string Regrown = "written anew and longer than all before\n";

    private static readonly InputOptions ByName = new() { Paths = ["/logs/*.log", "/more/*.log"], Topic = "t_{1}", MaxLineBytes = 1024 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_renamed_file_keeps_its_topic_and_the_next_one_has_its_own(bool whileStopped) => With([ByName], async rig =>
    {
        rig.Append("a\n", Old);
        rig.Append("b\n", "/logs/web.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        if (whileStopped)
        {
            await rig.StopAsync();
        }
        rig.Append("c\n", Old);
        rig.Machine.Rename(Old, New);
        rig.Append("d\n", Old);
        if (whileStopped)
        {
            await rig.StartAsync();
        }
        await rig.UntilLinesAsync(4);
        rig.Append("e\n", New);
        rig.Append("f\n", Old);
        await rig.UntilLinesAsync(6);
        await RestAndRestartAsync(rig);
        // It is finished by now, and grows again.
        rig.Append("g\n", New);
        rig.Append("h\n", Old);
        await rig.UntilLinesAsync(8);
        Assert.Equal(["a", "c", "d", "e", "f", "g", "h"], rig.Lines("t_app").Order(StringComparer.Ordinal));
        Assert.Equal(["b"], rig.Lines("t_web"));
        Assert.Empty(rig.Lines("t_app-1"));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_copy_under_another_name_goes_on_in_the_topic_of_its_original(bool whileStopped) => With([ByName], async rig =>
    {
        rig.Append("a\nb\n", Old);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        if (whileStopped)
        {
            await rig.StopAsync();
        }
        rig.Append("c\n", Old);
        Copy(rig, Old, New);
        rig.Append("d\n", New);
        rig.Truncate(Old);
        rig.Append("e\n", Old);
        if (whileStopped)
        {
            await rig.StartAsync();
        }
        await rig.UntilLinesAsync(5);
        await RestAndRestartAsync(rig);
        Assert.Equal(["a", "b", "c", "d", "e"], rig.Lines("t_app").Order(StringComparer.Ordinal));
        Assert.Equal(5, rig.Lines().Count);
    });

    [Fact]
    public void A_file_that_only_begins_like_another_has_its_own_topic() => With([ByName], async rig =>
    {
        rig.Append("a\nb\n", Old);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Copy(rig, Old, New);
        await rig.PassAsync(rig.Options.CopyWait / 4);
        Assert.Equal("t_app-1", Assert.Single(rig.Agent.Report(New, 10).Files).Topic);
        await rig.UntilLinesAsync(4);
        Assert.Equal(["a", "b"], rig.Lines("t_app-1"));
        await RestAndRestartAsync(rig);
        Assert.Equal(4, rig.Lines().Count);
    });

    [Fact]
    public void A_file_that_is_cut_under_another_name_begins_anew_under_that() => With([ByName], async rig =>
    {
        rig.Append("a\nb\n", Old);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Machine.Rename(Old, New);
        await rig.PassAsync(rig.Options.SweepInterval * 3);
        rig.Truncate(New);
        rig.Append(Regrown, New);
        await rig.UntilLinesAsync(3);
        await RestAndRestartAsync(rig);
        Assert.Equal(["a", "b"], rig.Lines("t_app"));
        Assert.Equal([Regrown.TrimEnd()], rig.Lines("t_app-1"));
    });

    [Fact]
    public void A_file_that_is_replaced_goes_on_in_its_topic() => With([ByName], async rig =>
    {
        rig.Append("a\nb\n", Old);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Copy(rig, Old, "/logs/.app.new");
        rig.Append("c\n", "/logs/.app.new");
        rig.Machine.Rename("/logs/.app.new", Old);
        await rig.UntilLinesAsync(3);
        await RestAndRestartAsync(rig);
        Assert.Equal(["a", "b", "c"], rig.Lines("t_app"));
    });

    [Fact]
    public void A_template_that_gives_the_same_topic_goes_on_and_another_is_another_topic() => With([ByName with { Topic = "t_app" }], async rig =>
    {
        rig.Append("a\n", Old);
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.StopAsync();
        foreach (string topic in new[] { "t_{1}", "t_{name}", "t_app" })
        {
            rig.Options = rig.Options with { Inputs = [ByName with { Topic = topic }] };
            rig.Append($"by {topic}\n", Old);
            await rig.StartAsync();
            await rig.UntilAsync(() => rig.Lines().Contains($"by {topic}"), topic);
            await rig.StopAsync();
        }
        Assert.Equal(["a", "by t_{1}", "by t_{name}", "by t_app"], rig.Lines("t_app"));
        Assert.Equal(0, rig.Log.Count("no input for topic"));
        // Batches are under way when the topic changes.
        rig.Broker.Fate = static _ => ProduceFate.TakeThenDropConnection;
        rig.Append("b\n", Old);
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines().Contains("b"), "b");
        rig.Kill();
        rig.Broker.Fate = static _ => ProduceFate.Take;
        rig.Options = rig.Options with { Inputs = [ByName with { Topic = "u_{dir}" }] };
        await rig.StartAsync();
        await rig.UntilAsync(() => rig.Lines("u_logs").Count == 5 && rig.Agent.IsCaughtUp, "all of it in the other topic");
        Assert.Equal(5, rig.Lines("t_app").Count);
        Assert.Equal(1, rig.Log.Count($"{Old}: no input for topic t_app wants it any more"));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("t_app", "t_{1}")] // the same topic by name and by template
    [InlineData("t_{1}", "t_app")]
    [InlineData("t_{name}", "t_{1}")]
    [InlineData("t_{1}", "u_{1}")]
    public void Two_inputs_give_a_file_to_each_topic_once(string first, string second) => With([ByName with { Topic = first }, ByName with { Topic = second }], async rig =>
    {
        bool isSame = second[0] == 't';
        int times = isSame ? 1 : 2;
        rig.Append("a\nb\n", Old);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2 * times);
        // A copy, then a renaming: neither gives the lines to a topic again.
        Copy(rig, Old, "/logs/app-2.log");
        await rig.PassAsync(rig.Options.SweepInterval * 3);
        rig.Truncate(Old);
        rig.Append("c\n", Old);
        await rig.UntilLinesAsync(3 * times);
        rig.Machine.Rename(Old, New);
        rig.Append("d\n", Old);
        await rig.UntilLinesAsync(4 * times);
        await RestAndRestartAsync(rig);
        rig.Append("e\n", New);
        rig.Append("f\n", Old);
        await rig.UntilLinesAsync(6 * times);
        await RestAndRestartAsync(rig);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], rig.Lines("t_app").Order(StringComparer.Ordinal));
        Assert.Equal(isSame ? [] : ["a", "b", "c", "d", "e", "f"], rig.Lines("u_app").Order(StringComparer.Ordinal));
        Assert.Equal(6 * times, rig.Lines().Count);
    });

    [Fact]
    public void A_file_whose_topic_cannot_be_is_told_and_the_others_go_on() => With([ByName with { Paths = ["/logs/x*.log", "/logs/*.txt"], Topic = "{1}" }], async rig =>
    {
        string empty = "/logs/x.log";
        string tooLong = $"/logs/x{new string('n', 250)}.log";
        rig.Append("a\n", empty);
        rig.Append("b\n", tooLong);
        rig.Append("c\n", "/logs/xyz.log");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(["c"], rig.Lines("yz"));
        Assert.Equal(1, rig.Log.Count($"{empty}: is not read: its topic by '{{1}}' would be empty. Give its input another topic, or exclude it"));
        Assert.Equal(1, rig.Log.Count($"{tooLong}: is not read: its topic by '{{1}}' would have 250 characters"));
        Assert.Contains(rig.Agent.Problems, problem => problem == $"{empty} cannot be read: its topic by '{{1}}' would be empty");
        string explained = Explain(rig, empty);
        Assert.Contains("no topic  /logs/x*.log matches, and its topic by '{1}' would be empty", explained, StringComparison.Ordinal);
        Assert.EndsWith("not read: its topic by '{1}' would be empty\n  to change that: give its input another topic, or exclude it", explained, StringComparison.Ordinal);
        Assert.Contains("leave out  /logs/x.log -> : its topic by '{1}' would be empty", PlanText.Show(ReadingPlan.Of(rig.Options, rig.Machine, null), null, "", 20));
        // Under another name it can be read, and is no problem any more.
        rig.Machine.Rename(empty, "/logs/xw.log");
        rig.Machine.Delete(tooLong);
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a"], rig.Lines("w"));
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(rig.Agent.Problems);
        // And once it is followed, a name that gives no topic changes nothing.
        rig.Machine.Rename("/logs/xw.log", empty);
        rig.Append("d\n", empty);
        await rig.UntilLinesAsync(3);
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(["a", "d"], rig.Lines("w"));
        Assert.Empty(rig.Agent.Problems);
        Assert.EndsWith("\nread", Explain(rig, empty), StringComparison.Ordinal);
        await rig.StopAsync();
    });

    [Fact]
    public void Explain_plan_and_status_say_the_topic_that_a_file_has() => With([ByName with { Topic = "t_{name}", Origin = "logpipe.yaml:4" }], async rig =>
    {
        rig.Append("a\n", Old);
        Assert.Contains("start      /logs/app.log -> t_app, from byte 0: 2 B", PlanText.Show(ReadingPlan.Of(rig.Options, rig.Machine, null), null, "", 20));
        Assert.Contains("match     logpipe.yaml:4 topic t_app by t_{name}: /logs/*.log\n", Explain(rig, Old, isRunning: false), StringComparison.Ordinal);
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(Old, New);
        rig.Append("b\n", New);
        await rig.UntilLinesAsync(2);
        Assert.Contains("life      generation", Explain(rig, New), StringComparison.Ordinal);
        Assert.Contains(" to t_app-0: rotated", Explain(rig, New), StringComparison.Ordinal);
        Assert.Contains(StatusTable.Show(rig.Agent.Report(null, 10), true, 100, 10), static line => line.StartsWith("/logs/app-1.log  t_app ", StringComparison.Ordinal));
        await rig.StopAsync();
        Assert.Contains("go on      /logs/app-1.log -> t_app, at byte 4: 0 B left", PlanText.Show(ReadingPlan.Of(rig.Options, rig.Machine, null), null, "", 20));
        Assert.Contains(" to t_app-0: ", Explain(rig, New, isRunning: false), StringComparison.Ordinal);
    });

    private static void With(IReadOnlyList<InputOptions> inputs, Func<AgentRig, Task> test) => AgentRig.OnOneThread(rig =>
    {
        rig.Options = rig.Options with { Inputs = inputs };
        rig.Broker.HasTopic = static _ => true;
        rig.Machine.CreateDirectory("/more");
        return test(rig);
    });

    private static string Explain(AgentRig rig, string path, bool isRunning = true) =>
        string.Join('\n', Explanation.Of(rig.Options, rig.Machine, path, null, isRunning ? rig.Agent.Report(path, 10) : null).Lines);

    private static void Copy(AgentRig rig, string from, string to) => rig.Append(rig.Read(from), to);

    /// <summary>All is read, rotated files are finished; then a new process finds everything as it was.</summary>
    private static async Task RestAndRestartAsync(AgentRig rig)
    {
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        int lines = rig.Lines().Count;
        await rig.StopAsync();
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(lines, rig.Lines().Count);
    }
}
