using System.Collections;
using System.Reflection;
using LogPipeline.Agent;
using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;

namespace LogPipeline.Cli.Tests.Configuration;

/// <summary>The sample binds, and every optional value in it is the default it says it is.</summary>
public class SampleFileTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "config", "logpipe.yaml"));

    /// <summary>Settings whose commented line shows an example, since they are off by default.</summary>
    private static readonly string[] Examples =
    [
        nameof(InputOptions.Exclude), nameof(InputOptions.ExcludeOrigin), nameof(InputOptions.Include), nameof(InputOptions.Labels),
        nameof(InputOptions.Multiline), nameof(InputOptions.RateLimit), nameof(InputOptions.Redact),
    ];

    [Fact]
    public void Sample_is_accepted_and_names_every_part()
    {
        PipelineConfiguration sample = Read(Text);
        Assert.NotNull(sample.Broker);
        Assert.Single(sample.Agent!.Inputs);
        Assert.Single(sample.Sinks);
        Assert.NotNull(sample.Telemetry.AdminListen);
    }

    [Fact]
    public void Commented_settings_are_known_and_say_the_defaults()
    {
        PipelineConfiguration bare = Read(Text);
        PipelineConfiguration full = Read(Uncommented());
        Assert.Equal(bare.Broker! with { Settings = full.Broker!.Settings }, full.Broker);
        AssertSame(bare.Agent!, full.Agent!, nameof(AgentOptions.Inputs));
        AssertSame(bare.Agent!.Inputs[0], full.Agent!.Inputs[0], Examples);
        AssertSame(bare.Sinks[0], full.Sinks[0]);
    }

    [Fact]
    public void Values_that_stand_in_the_sample_are_defaults_where_there_are_defaults()
    {
        PipelineConfiguration sample = Read(Text);
        PipelineConfiguration bare = Read("""
            broker: {}
            agent: { inputs: [{ paths: ["/var/log/nginx/*access.log*"], topic: web_log }] }
            sinks: [{ name: web_log, topics: [web_log], sqlite: { file: ./data/logs.db } }]
            """);
        AssertSame(bare.Agent!, sample.Agent!, nameof(AgentOptions.Inputs));
        Assert.Equal(bare.Broker! with { Settings = sample.Broker!.Settings }, sample.Broker);
        AssertSame(bare.Sinks[0], sample.Sinks[0], nameof(SinkOptions.Parser));
    }

    // A line such as `  # linger: 5ms   # why` holds an optional setting: key, colon, value.
    private static string Uncommented()
        => string.Join('\n', Text.Split('\n').Select(line => System.Text.RegularExpressions.Regex.Replace(line, @"^(\s*)# (?=[a-z_.]+: )", "$1")));

    private static void AssertSame<T>(T expected, T actual, params string[] except)
    {
        foreach (PropertyInfo? property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => !except.Contains(p.Name)))
        {
            Assert.True(Same(property.GetValue(expected), property.GetValue(actual)),
                $"{typeof(T).Name}.{property.Name}: {property.GetValue(expected)} is not {property.GetValue(actual)}");
        }
    }

    private static bool Same(object? a, object? b)
        => a is IEnumerable left && b is IEnumerable right ? left.Cast<object>().SequenceEqual(right.Cast<object>()) : Equals(a, b);

    private static PipelineConfiguration Read(string yaml) => PipelineConfiguration.Read(ConfigurationFile.Read(yaml, "logpipe.yaml", []));
}
