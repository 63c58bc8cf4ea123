using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Settings;

namespace LogPipeline.Broker.Tests.Listeners;

public sealed class ListenerSettingsTests
{
    [Fact]
    public void Without_settings_the_options_address_is_a_plain_listener()
    {
        Listener only = Assert.Single(Read(new BrokerOptions { DataDirectory = "d", Listen = "127.0.0.1:9092", Advertise = "logs.example:19092" }));
        Assert.Equal(new Listener("PLAINTEXT", SecurityProtocol.Plaintext, new HostPort("127.0.0.1", 9092), new HostPort("logs.example", 19092)), only);
    }

    [Fact]
    public void Several_listeners_have_names_protocols_and_addresses_of_their_own()
    {
        IReadOnlyList<Listener> listeners = Read(
            ("listeners", "INTERNAL://10.0.0.1:9092, external://[::1]:9094,CONTROLLER://:9093"),
            ("advertised.listeners", "EXTERNAL://logs.example:443"),
            ("listener.security.protocol.map", "INTERNAL:PLAINTEXT,EXTERNAL:plaintext,CONTROLLER:SSL"),
            ("controller.listener.names", "CONTROLLER"),
            ("inter.broker.listener.name", "INTERNAL"));
        Assert.Equal(["INTERNAL://10.0.0.1:9092", "EXTERNAL://[::1]:9094"], listeners.Select(listener => listener.ToString()));
        Assert.Null(listeners[0].Advertised);
        Assert.Equal(new HostPort("logs.example", 443), listeners[1].Advertised);
    }

    [Theory]
    [InlineData("SSL://:9093", "SSL, which is not there yet")]
    [InlineData("PLAINTEXT://:9092,SASL_SSL://:9093", "SASL_SSL, which is not there yet")]
    [InlineData("SASL_PLAINTEXT://:9093", "SASL_PLAINTEXT, which is not there yet")]
    [InlineData("INTERNAL://:9092", "has no protocol")]
    [InlineData("PLAINTEXT://:9092,PLAINTEXT://:9093", "twice")]
    [InlineData("A://:9092,PLAINTEXT://:9092", "two listeners")]
    [InlineData("PLAINTEXT//:9092", "is not an address")]
    [InlineData("PLAINTEXT://host", "is not an address")]
    [InlineData("PLAINTEXT://host:99999", "is not an address")]
    [InlineData("://host:1", "is not an address")]
    [InlineData("http s://host:1", "is not an address")]
    [InlineData(" , ", "is empty")]
    public void A_listener_that_cannot_be_served_refuses_the_start_in_one_line(string listeners, string why) =>
        Refused(why, ("listeners", listeners));

    [Theory]
    [InlineData("listener.security.protocol.map", "INTERNAL=PLAINTEXT", "is not NAME:PROTOCOL")]
    [InlineData("listener.security.protocol.map", "PLAINTEXT:TLS", "is not NAME:PROTOCOL")]
    [InlineData("listener.security.protocol.map", "OTHER:PLAINTEXT", "has no protocol")]
    [InlineData("listener.security.protocol.map", "PLAINTEXT:SSL", "SSL, which is not there yet")]
    [InlineData("inter.broker.listener.name", "OTHER", "is not in listeners")]
    [InlineData("controller.listener.names", "CONTROLLER", "is not in listeners")]
    [InlineData("controller.listener.names", "PLAINTEXT", "No listener for clients is left")]
    [InlineData("advertised.listeners", "OTHER://host:1", "is not in listeners")]
    [InlineData("advertised.listeners", "PLAINTEXT://0.0.0.0:9092", "cannot be advertised")]
    [InlineData("advertised.listeners", "PLAINTEXT://:9092", "cannot be advertised")]
    [InlineData("advertised.listeners", "PLAINTEXT://host:0", "cannot be advertised")]
    public void A_setting_that_does_not_fit_the_listeners_refuses_the_start(string name, string value, string why) =>
        Refused(why, ("listeners", "PLAINTEXT://127.0.0.1:9092"), (name, value));

    [Fact]
    public void One_address_without_a_name_cannot_be_advertised_for_two_listeners() =>
        Refused("for 2 listeners", ("listeners", "PLAINTEXT://:9092,B://:9093"), ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,B:PLAINTEXT"), ("advertised.listeners", "host:1"));

    private static void Refused(string why, params (string Name, string Value)[] settings)
    {
        BrokerStartException e = Assert.Throws<BrokerStartException>(() => Read(settings));
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static IReadOnlyList<Listener> Read(params (string Name, string Value)[] settings) =>
        Read(new BrokerOptions { DataDirectory = "d", Settings = settings.ToDictionary(s => s.Name, s => s.Value) });

    private static IReadOnlyList<Listener> Read(BrokerOptions options) => ListenerSettings.Read(new BrokerSettings(options.Settings), options);
}
