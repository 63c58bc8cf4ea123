using System.Net;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Hosting.Admin;

/// <summary>The admin address of a process on this machine, to ask it.</summary>
public sealed class AdminAddress(string? listen)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Where it asks; null where no address is configured, or one whose port is not known beforehand.</summary>
    public IPEndPoint? Endpoint { get; } = EndpointOf(listen);

    /// <summary>What to say where nobody answers.</summary>
    public string Silence => $"nobody answers at {Endpoint}";

    /// <exception cref="ConfigurationException">There is no address to ask.</exception>
    public void Require()
    {
        if (Endpoint is null)
        {
            throw new ConfigurationException("the configuration has no admin.listen, by which a running process could be asked");
        }
    }

    /// <summary>Returns status and body; null when nobody answers.</summary>
    /// <param name="target">Such as <c>/healthz</c>.</param>
    public async Task<(int Status, byte[] Body)?> GetAsync(string target)
    {
        try
        {
            using var client = new HttpClient { Timeout = Patience };
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://{Endpoint}{target}"));
            return ((int)answer.StatusCode, await answer.Content.ReadAsByteArrayAsync());
        }
        catch (Exception silent) when (silent is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>The verb <c>health</c>: prints what <c>/healthz</c> answers. Returns 0 when all is well, 1 when it is not or nobody answers.</summary>
    /// <exception cref="ConfigurationException">There is no address to ask.</exception>
    public async Task<int> PrintHealthAsync()
    {
        Require();
        (int Status, byte[] Body)? answer = await GetAsync("/healthz");
        if (answer is not (int status, byte[] body))
        {
            Console.WriteLine(Silence);
            return 1;
        }
        using Stream output = Console.OpenStandardOutput();
        output.Write(body);
        return status == 200 ? 0 : 1;
    }

    private static IPEndPoint? EndpointOf(string? listen)
    {
        if (listen is null || !IPEndPoint.TryParse(listen.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), out IPEndPoint? endpoint) || endpoint.Port == 0)
        {
            return null;
        }
        bool isAny = endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any);
        return isAny ? new IPEndPoint(IPAddress.Loopback, endpoint.Port) : endpoint;
    }
}
