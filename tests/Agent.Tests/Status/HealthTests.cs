using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Testing.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tests.Status;

/// <summary>What is wrong is told at once in the log, and by health when it lasts; and told when it is over.</summary>
public sealed class HealthTests
{
    [Fact]
    public void A_broker_that_refuses_is_told_at_once_and_once_and_when_it_is_back() => AgentRig.OnOneThread(async rig =>
    {
        rig.Log.Least = LogLevel.Information;
        rig.Broker.IsDown = true;
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(1, rig.Log.Count("Broker scripted:9092: the scripted broker is down; trying again"));
        Assert.Empty(rig.Agent.Problems);
        await rig.PassAsync(TimeSpan.FromSeconds(40));
        Assert.Equal(1, rig.Log.Count("is down"));
        Assert.StartsWith("no broker can be reached since 2026-01-01 00:00:00Z: scripted:9092: the scripted broker is down", Assert.Single(rig.Agent.Problems), StringComparison.Ordinal);

        rig.Broker.IsDown = false;
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(1, rig.Log.Count("Broker scripted:9092: connected again after 4"));
        Assert.Empty(rig.Agent.Problems);
        await rig.StopAsync();
    });

    [Fact]
    public void A_broker_that_goes_while_the_agent_works_is_told_at_once() => AgentRig.OnOneThread(async rig =>
    {
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Broker.IsDown = true;
        rig.Broker.Disconnect();
        await rig.PassAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(1, rig.Log.Count("Broker scripted:9092: the scripted broker is down; trying again"));
        rig.Broker.IsDown = false;
        rig.Append("b\n");
        await rig.UntilLinesAsync(2);
        await rig.StopAsync();
    });

    [Fact]
    public void A_broker_that_takes_batches_and_does_not_answer_is_told_by_health() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { RequestTimeout = TimeSpan.FromSeconds(30) };
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        var frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Broker.Held = frozen.Task;
        rig.Append("b\n");
        await rig.PassAsync(TimeSpan.FromSeconds(8));
        Assert.Empty(rig.Agent.Problems);
        await rig.PassAsync(TimeSpan.FromSeconds(6));
        Assert.Matches("^t-[0-9]: its broker does not answer$", Assert.Single(rig.Agent.Problems));
        Assert.Equal("its batches are sent, and the broker does not answer", Assert.Single(rig.Agent.Report(AgentRig.LogPath, 1).Files).Reason);
        rig.Broker.Held = null;
        frozen.SetResult();
        await rig.UntilLinesAsync(2);
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(rig.Agent.Problems);
        await rig.StopAsync();
    });

    [Fact]
    public void A_topic_that_is_not_there_is_told_by_health() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { Topic = "missing" }] };
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, rig.Log.Count("Topic missing: topic 'missing' does not exist; trying again"));
        Assert.Contains("topic missing not served since", Assert.Single(rig.Agent.Problems), StringComparison.Ordinal);
        await rig.StopAsync();
    });

    [Fact]
    public void A_state_directory_that_cannot_be_written_is_told_by_health() => AgentRig.OnOneThread(async rig =>
    {
        bool isFull = false;
        rig.BeforeFileCall = call =>
        {
            if (isFull && call.Operation == FileOperation.Write && call.Path.StartsWith("/state", StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        await rig.StartAsync();
        isFull = true;
        rig.Append("a\n");
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Equal("the agent's state cannot be written, reading pauses: No space left on device", Assert.Single(rig.Agent.Problems));
        isFull = false;
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(rig.Agent.Problems);
        await rig.StopAsync();
    });

    [Fact]
    public void What_deleted_files_hold_is_told_until_it_is_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { DeletedBytesAlarm = 100_000 };
        bool isAway = true;
        rig.Broker.Fate = _ => isAway ? ProduceFate.DropConnection : ProduceFate.Take;
        await rig.StartAsync();
        rig.Append(string.Concat(Enumerable.Range(0, 200_000).Select(static i => $"line {i} of many that find no broker\n")));
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.DoesNotContain(rig.Agent.Problems, static problem => problem.StartsWith("deleted files", StringComparison.Ordinal));
        rig.Machine.Delete(AgentRig.LogPath);
        await rig.UntilAsync(() => rig.Agent.Problems.Any(static problem => problem.StartsWith("deleted files hold ", StringComparison.Ordinal)), "health tells");
        isAway = false;
        await rig.UntilLinesAsync(200_000);
        await rig.UntilAsync(() => rig.Agent.Problems.Count == 0, "nothing is held any more");
        await rig.StopAsync();
    });

    [Fact]
    public void Files_that_cannot_be_read_are_named_until_they_can_or_are_gone() => AgentRig.OnOneThread(async rig =>
    {
        string? forbidden = "/logs/forbidden";
        rig.BeforeFileCall = call =>
        {
            if (forbidden is not null && call.Operation == FileOperation.Open && call.Path.StartsWith(forbidden, StringComparison.Ordinal))
            {
                throw new IOException("Permission denied");
            }
        };
        for (int i = 1; i <= 5; i++)
        {
            rig.Append("secret\n", $"/logs/forbidden{i}.log");
        }
        await rig.StartAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(
            ["/logs/forbidden1.log cannot be read: Permission denied", "/logs/forbidden2.log cannot be read: Permission denied",
                "/logs/forbidden3.log cannot be read: Permission denied", "2 more paths cannot be read"],
            rig.Agent.Problems);
        for (int i = 1; i <= 4; i++)
        {
            rig.Machine.Delete($"/logs/forbidden{i}.log");
        }
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(["/logs/forbidden5.log cannot be read: Permission denied"], rig.Agent.Problems);
        forbidden = null;
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Empty(rig.Agent.Problems);
        await rig.StopAsync();
    });

    [Fact]
    public void A_file_that_grows_without_being_read_for_no_known_reason_is_found() => AgentRig.OnOneThread(async rig =>
    {
        bool isHidden = false;
        rig.BeforeFileCall = call =>
        {
            if (isHidden && call is { Operation: FileOperation.Open, Path: AgentRig.LogPath })
            {
                throw new FileNotFoundException();
            }
        };
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromMinutes(2)); // quiet for so long that its handle is given back
        isHidden = true;
        rig.Append("b\n");
        await rig.PassAsync(TimeSpan.FromSeconds(50));
        Assert.Empty(rig.Agent.Problems);
        await rig.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal($"{AgentRig.LogPath}: nothing is read of it, though nothing is known that holds it up", Assert.Single(rig.Agent.Problems));
        Assert.Equal(1, rig.Log.Count("2 bytes wait to be read for 6"));
        isHidden = false;
        await rig.UntilLinesAsync(2);
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(rig.Agent.Problems);
        await rig.StopAsync();
    });
}
