using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>Binds <c>admin:</c> and <c>telemetry:</c>.</summary>
public static class TelemetrySection
{
    public static TelemetryOptions Read(ConfigurationSection root)
    {
        ConfigurationSection admin = root.Section("admin");
        ConfigurationSection telemetry = root.Section("telemetry");
        var options = new TelemetryOptions
        {
            AdminListen = admin.TextOrNull("listen"),
            Otlp = telemetry.TextOrNull("otlp") is { } address ? Endpoint(address, telemetry) : null,
        };
        admin.Close();
        telemetry.Close();
        return options;
    }

    private static Uri Endpoint(string address, ConfigurationSection telemetry)
        => Uri.TryCreate(address, UriKind.Absolute, out Uri? endpoint) && endpoint.Scheme is "http" or "https"
            ? endpoint
            : throw new ConfigurationException($"{telemetry.OriginOf("otlp")}: {telemetry.Name("otlp")} should be an address such as http://127.0.0.1:4317, not '{address}'");
}
