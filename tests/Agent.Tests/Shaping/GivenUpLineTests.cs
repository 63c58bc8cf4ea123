using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>Lines of a container whose rest comes late or never: what redactions and filters are to find in them lies on both sides of the place.</summary>
public sealed class GivenUpLineTests
{
    private const string Time = "2026-11-26T08:00:00Z";

    private static readonly TimeSpan s_beyond = LineAssembler.RestTimeout + MultilineOptions.DefaultTimeout;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_secret_whose_rest_comes_later_than_a_group_is_quiet_is_redacted(bool isKilled) => AgentRig.OnOneThread(async rig =>
    {
        Use(rig, static input => input with { Redact = [new CreditCards()] });
        await BeginAsync(rig, $"{Time} stdout P card 4111 1111\n", MultilineOptions.DefaultTimeout * 3, isKilled);
        rig.Append($"{Time} stderr F meanwhile\n{Time} stdout F  1111 1111 is paid\n");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["card [credit_card] is paid", "meanwhile"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void With_redactions_a_line_that_is_given_up_is_left_out_and_so_is_its_rest(bool isKilled) => AgentRig.OnOneThread(async rig =>
    {
        Use(rig, static input => input with { Redact = [new CreditCards()] });
        await BeginAsync(rig, $"{Time} stdout P card 4111 1111\n{Time} stderr F other\n", s_beyond, isKilled);
        Assert.Equal(["other"], rig.Lines());
        rig.Append($"{Time} stderr F meanwhile\n{Time} stdout P  1111\n{Time} stdout F  1111 is paid\n{Time} stdout F next\n");
        await rig.UntilLinesAsync(3);
        Assert.Equal(["other", "meanwhile", "next"], rig.Lines());
        Assert.Equal(isKilled ? 2 : 1, rig.Log.Count("does not come"));
        EncodingTests.CheckRanges(rig, rig.Read(AgentRig.LogPath));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void With_filters_the_rest_of_a_line_that_is_given_up_shares_its_fate(bool isUnwanted, bool isKilled) => AgentRig.OnOneThread(async rig =>
    {
        Use(rig, static input => input with { ExcludeLines = [new LinePattern("secret")] });
        await BeginAsync(rig, $"{Time} stdout P {(isUnwanted ? "secret" : "open")} begun\n{Time} stderr F other\n", s_beyond, isKilled);
        rig.Append($"{Time} stdout F , ended late\n{Time} stdout F secret next\n{Time} stdout F next\n");
        await rig.UntilLinesAsync(isUnwanted ? 2 : 4);
        Assert.Equal(isUnwanted ? ["other", "next"] : ["open begun", "other", ", ended late", "next"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void The_rest_stays_left_out_where_the_log_takes_no_more_when_it_comes() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig, static input => input with { Redact = [new CreditCards()], Format = LineFormat.Docker });
        string Wrap(string text, string stream) => $$"""{"log":"{{text}}","stream":"{{stream}}","time":"{{Time}}"}""" + "\n";
        await BeginAsync(rig, Wrap("card 4111 1111", "stdout") + Wrap("other\\n", "stderr"), s_beyond, isKilled: false);
        // The other output's open line holds back what comes behind it, which is read anew each time.
        rig.Append(Wrap("half", "stderr") + Wrap(" 1111 1111\\n", "stdout") + Wrap("first\\n", "stdout"));
        for (int i = 0; i < 5; i++)
        {
            await rig.PassAsync(MultilineOptions.DefaultTimeout);
            rig.Append(Wrap($"{i}\\n", "stdout"));
        }
        Assert.Equal(["other"], rig.Lines());
        rig.Append(Wrap(" whole\\n", "stderr"));
        await rig.UntilLinesAsync(8);
        Assert.Equal(["other", "half whole", "first", "0", "1", "2", "3", "4"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void The_other_output_goes_on_when_the_line_is_given_up() => AgentRig.OnOneThread(async rig =>
    {
        Use(rig, static input => input with { Redact = [new CreditCards()] });
        rig.Append($"{Time} stdout P begun\n");
        await rig.StartAsync();
        for (int i = 0; i < 20; i++)
        {
            rig.Append($"{Time} stderr F {i}\n");
            await rig.PassAsync(LineAssembler.RestTimeout / 10);
        }
        await rig.UntilLinesAsync(20);
        await rig.StopAsync();
    });

    private static void Use(AgentRig rig, Func<InputOptions, InputOptions> change) =>
        rig.Options = rig.Options with { Inputs = [change(rig.Options.Inputs[0] with { Format = LineFormat.Cri })] };

    private static async Task BeginAsync(AgentRig rig, string text, TimeSpan wait, bool isKilled)
    {
        rig.Append(text);
        await rig.StartAsync();
        await rig.PassAsync(wait);
        if (isKilled)
        {
            rig.Kill();
            await rig.StartAsync();
        }
    }
}
