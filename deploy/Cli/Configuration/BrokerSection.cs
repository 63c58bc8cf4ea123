using LogPipeline.Broker;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Configuration;

/// <summary>Binds <c>broker:</c>. The keys below <c>settings</c> are Kafka's; the broker checks them itself when it starts.</summary>
internal static class BrokerSection
{
    public const string DefaultData = "./data/broker";

    public static BrokerOptions Read(ConfigurationSection section)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        if (section.SectionOrNull("settings") is { } named)
        {
            foreach ((string? key, string? value) in named.Pairs())
            {
                settings[key] = value;
            }
        }
        var options = new BrokerOptions
        {
            DataDirectory = section.Text("data", DefaultData),
            Listen = section.Text("listen", PipelineConfiguration.DefaultBootstrap),
            Advertise = section.TextOrNull("advertise"),
            Settings = settings,
        };
        section.Close();
        return options;
    }
}
