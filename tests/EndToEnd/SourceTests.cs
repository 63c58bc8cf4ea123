using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LogPipeline.EndToEnd.Harness;

namespace LogPipeline.EndToEnd;

/// <summary>Inputs that are no files, with real processes.</summary>
public sealed class SourceTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string _bootstrap = $"127.0.0.1:{Ports.Free()}";

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Standard_input_is_published_and_the_program_ends_when_all_of_it_is_acked()
    {
        await using RealProcess broker = await BrokerAsync();
        string lines = string.Concat(Enumerable.Range(0, 50_000).Select(static i => $"line {i} of the application\n"));
        (int status, string output, string errors) = await RealProcess.RunAsync(
            Programs.Agent, _workspace.Folder, ["--stdin", "--topic", "app", "--bootstrap", _bootstrap, "--state", "state"], Encoding.ASCII.GetBytes(lines + "the last has no line feed"));
        Assert.True((status, output) == (0, ""), errors);
        Assert.Equal(lines + "the last has no line feed\n", await TopicAsync("app"));
        Assert.Empty(Directory.GetFiles(_workspace.File("state/spool/stdin-app")));
        string json = (await _workspace.RunAsync("consume", "app", "--from-beginning", "--limit", "1", "--output", "json", "--bootstrap", _bootstrap)).Output;
        Assert.Contains("\"file\":\"stdin\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standard_input_is_taken_in_the_encoding_that_is_named()
    {
        await using RealProcess broker = await BrokerAsync();
        string[] arguments = ["--stdin", "--topic", "app", "--bootstrap", _bootstrap, "--state", "state", "--encoding"];
        (int status, _, string errors) = await RealProcess.RunAsync(
            Programs.Agent, _workspace.Folder, [.. arguments, "utf-16le"], new UnicodeEncoding(bigEndian: false, byteOrderMark: false).GetBytes("no mark, 中文\n"));
        Assert.True(status == 0, errors);
        Assert.Equal("no mark, 中文\n", await TopicAsync("app"));
        (status, _, errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, [.. arguments, "utf16"]);
        Assert.True(status == 2 && errors.Contains("write one of auto, utf-8, utf-16le", StringComparison.Ordinal), errors);
    }

    [Fact]
    public async Task Standard_input_that_was_taken_while_the_broker_was_away_is_sent_by_the_next_run()
    {
        string[] arguments = ["--stdin", "--topic", "app", "--bootstrap", _bootstrap, "--state", "state"];
        string folder = _workspace.File("state/spool/stdin-app");
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, arguments))
        {
            await first.WriteInputAsync("one\ntwo\n");
            await Deadline.UntilAsync(TimeSpan.FromSeconds(60), () => Task.FromResult(
                Directory.Exists(folder) && Directory.GetFiles(folder).Sum(static file => new FileInfo(file).Length) == 8), () => first.Errors);
            await first.KillAsync();
        }
        await using RealProcess broker = await BrokerAsync();
        (int status, _, string errors) = await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, arguments, "three\n"u8.ToArray());
        Assert.True(status == 0, errors);
        Assert.Equal("one\ntwo\nthree\n", await TopicAsync("app"));
    }

    [Fact]
    public async Task Syslog_by_udp_tcp_and_tls_becomes_lines()
    {
        await using RealProcess broker = await BrokerAsync();
        (int udp, int tcp, int tls) = (Ports.Free(), Ports.Free(), Ports.Free());
        string certificate = WriteCertificate();
        _workspace.Configure($$"""
            agent:
              bootstrap: {{_bootstrap}}
              status_topic: off
              inputs:
                - syslog: { listen: "udp://127.0.0.1:{{udp}}", peer: true }
                  topic: udp
                - syslog: { listen: "tcp://127.0.0.1:{{tcp}}" }
                  topic: tcp
                - syslog: { listen: "tls://127.0.0.1:{{tls}}", cert: cert.pem, key: key.pem, peer: true }
                  topic: tls
            """);
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await agent.ReadyAsync();
        using (TcpClient plain = await ConnectAsync(tcp, agent))
        {
            await plain.GetStream().WriteAsync("<13>Oct 11 22:14:15 host app: legacy\n10 <14>1 - ab<15>the rest"u8.ToArray());
        }
        using (TcpClient encrypted = await ConnectAsync(tls, agent))
        {
            await using var secure = new SslStream(encrypted.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown!.GetCertHashString() == certificate);
            await secure.AuthenticateAsClientAsync("localhost");
            await secure.WriteAsync("20 <165>1 - h app - - -"u8.ToArray());
        }
        await UntilTopicAsync("tcp", "<13>Oct 11 22:14:15 host app: legacy\n<14>1 - ab\n<15>the rest\n", agent);
        await UntilTopicAsync("tls", "127.0.0.1 <165>1 - h app - - -\n", agent);
        // A datagram that comes before the socket is open is lost, as datagrams are: the first one is repeated until it is there.
        using var sender = new UdpClient();
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () =>
        {
            await sender.SendAsync("<34>1 - h su - ID47 - first\n"u8.ToArray(), new IPEndPoint(IPAddress.Loopback, udp));
            return (await _workspace.RunAsync("consume", "udp", "--from-beginning", "--until-end", "--bootstrap", _bootstrap)).Output.StartsWith("127.0.0.1 <34>1 - h su - ID47 - first\n", StringComparison.Ordinal);
        }, () => agent.Errors);
        string json = (await _workspace.RunAsync("consume", "tcp", "--from-beginning", "--limit", "1", "--output", "json", "--bootstrap", _bootstrap)).Output;
        Assert.Contains($"\"file\":\"syslog://tcp:{tcp}\"", json, StringComparison.Ordinal);
        Assert.Equal(0, await agent.TerminateAsync());
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_the_log_and_by_status()
    {
        await using RealProcess broker = await BrokerAsync();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string admin = $"127.0.0.1:{Ports.Free()}";
        _workspace.Configure($$"""
            admin: { listen: "{{admin}}" }
            agent:
              bootstrap: {{_bootstrap}}
              inputs:
                - syslog: { listen: "tcp://{{other.LocalEndpoint}}" }
                  topic: tcp
            """);
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await agent.ReadyAsync();
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () =>
            (await RealProcess.RunAsync(Programs.Agent, _workspace.Folder, ["status"])).Output.Contains("Address already in use", StringComparison.Ordinal), () => agent.Errors);
        await agent.SaidAsync("Address already in use; trying again");
    }

    [Fact]
    public async Task Metrics_of_the_host_are_lines_of_json()
    {
        await using RealProcess broker = await BrokerAsync();
        _workspace.Configure($$"""
            agent:
              bootstrap: {{_bootstrap}}
              inputs:
                - metrics: { interval: 1s }
                  topic: host
            """);
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await UntilAsync("host", 2, agent);
        using var json = System.Text.Json.JsonDocument.Parse((await TopicAsync("host")).Split('\n')[0]);
        Assert.Equal(Environment.ProcessorCount, json.RootElement.GetProperty("cpu").GetProperty("cores").GetInt32());
        Assert.True(json.RootElement.GetProperty("memory").GetProperty("total").GetInt64() > 1 << 20);
        Assert.Equal(0, await agent.TerminateAsync());
    }

    [RequiresJournalFact]
    public async Task The_journal_is_followed_and_gone_on_with_where_a_killed_agent_stopped()
    {
        await using RealProcess broker = await BrokerAsync();
        Directory.CreateDirectory(_workspace.File("journal"));
        await JournalAsync(1, 50);
        _workspace.Configure($$"""
            agent:
              bootstrap: {{_bootstrap}}
              inputs:
                - journal: { directory: journal, units: [app.service] }
                  topic: journal
            """);
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await UntilAsync("journal", 50, first);
            await first.KillAsync();
        }
        await JournalAsync(51, 60);
        await JournalAsync(61, 80, boot: 2); // the host was started again meanwhile
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await UntilAsync("journal", 80, agent);
        Assert.Equal(Enumerable.Range(1, 80).Select(static i => $"entry {i}"), Messages(await TopicAsync("journal")));
        Assert.Equal(0, await agent.TerminateAsync());
    }

    [RequiresJournalFact]
    public async Task A_journal_read_from_its_end_goes_on_there_though_the_agent_was_killed_before_any_entry_and_whatever_units_it_reads_then()
    {
        await using RealProcess broker = await BrokerAsync();
        Directory.CreateDirectory(_workspace.File("journal"));
        await JournalAsync(1, 3);
        void Read(string unit) => _workspace.Configure($$"""
            agent:
              bootstrap: {{_bootstrap}}
              inputs:
                - journal: { directory: journal, units: [{{unit}}] }
                  read_from: end
                  topic: journal
            """);
        Read("app.service");
        await using (RealProcess first = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await first.ReadyAsync();
            await Deadline.UntilAsync(
                TimeSpan.FromSeconds(60), () => Task.FromResult(Directory.GetFiles(_workspace.Folder, "start", SearchOption.AllDirectories).Length == 1), () => first.Errors);
            await first.KillAsync();
        }
        await JournalAsync(4, 6);
        await using (RealProcess second = RealProcess.Start(Programs.Agent, _workspace.Folder, []))
        {
            await UntilAsync("journal", 3, second);
            await second.KillAsync();
        }
        Read("other.service");
        await JournalAsync(7, 7);
        await using RealProcess agent = RealProcess.Start(Programs.Agent, _workspace.Folder, []);
        await UntilAsync("journal", 5, agent);
        Assert.Equal(["entry 4", "entry 5", "entry 6", "other 6", "other 7"], Messages(await TopicAsync("journal")));
        Assert.Equal(0, await agent.TerminateAsync());
    }

    private static IEnumerable<string> Messages(string lines) => lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line =>
    {
        using var json = System.Text.Json.JsonDocument.Parse(line);
        return json.RootElement.GetProperty("MESSAGE").GetString()!;
    });

    /// <summary>Adds entries to the workspace's journal, of the unit that is followed and of another.</summary>
    private async Task JournalAsync(int from, int to, int boot = 1)
    {
        var export = new StringBuilder();
        for (int i = from; i <= to; i++)
        {
            foreach (string unit in (string[])["app.service", "other.service"])
            {
                export.Append($"__REALTIME_TIMESTAMP={1_700_000_000_000_000 + i}\n__MONOTONIC_TIMESTAMP={i}\n_BOOT_ID={boot:x32}\n");
                export.Append($"_SYSTEMD_UNIT={unit}\nPRIORITY=6\nMESSAGE={(unit == "app.service" ? "entry" : "other")} {i}\n\n");
            }
        }
        (int status, _, string errors) = await RealProcess.RunAsync(
            RequiresJournalFactAttribute.Remote, _workspace.Folder, ["--output=journal/app.journal", "-"], Encoding.UTF8.GetBytes(export.ToString()));
        Assert.True(status == 0, errors);
    }

    private async Task UntilAsync(string topic, int lines, RealProcess agent)
    {
        string seen = "";
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () =>
        {
            seen = (await _workspace.RunAsync("consume", topic, "--from-beginning", "--until-end", "--bootstrap", _bootstrap)).Output;
            return seen.Count(static c => c == '\n') >= lines;
        }, () => $"{seen}{agent.Errors}");
    }

    private async Task UntilTopicAsync(string topic, string expected, RealProcess agent)
    {
        await UntilAsync(topic, expected.Count(static c => c == '\n'), agent);
        Assert.Equal(expected, await TopicAsync(topic));
    }

    private static async Task<TcpClient> ConnectAsync(int port, RealProcess agent)
    {
        var client = new TcpClient();
        await Deadline.UntilAsync(TimeSpan.FromSeconds(60), async () =>
        {
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }, () => agent.Errors);
        return client;
    }

    /// <summary>Writes a certificate and its key, and returns the certificate's hash.</summary>
    private string WriteCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(_workspace.File("cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_workspace.File("key.pem"), key.ExportPkcs8PrivateKeyPem());
        return certificate.GetCertHashString();
    }

    private async Task<RealProcess> BrokerAsync()
    {
        RealProcess broker = _workspace.Start("broker", "--data", "data", "--listen", _bootstrap, "--set", "num.partitions=1", "--log-level", "warning");
        await broker.ReadyAsync();
        return broker;
    }

    private async Task<string> TopicAsync(string topic)
    {
        (int status, string output, string errors) = await _workspace.RunAsync("consume", topic, "--from-beginning", "--until-end", "--bootstrap", _bootstrap);
        Assert.True(status == 0, errors);
        return output;
    }
}
