using System.Globalization;
using System.Text;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>
/// Random histories of one log: written, renamed, copied and truncated, compressed, deleted, written anew by rsync, its volume mounted under
/// another number, its lines joined, filtered or in another encoding, over an agent that is stopped, killed and started and a broker whose connections break. Each line is stored exactly once.
/// <c>LOGPIPE_HISTORIES</c> and <c>LOGPIPE_HISTORIES_SEED</c> ask for more, and for others.
/// </summary>
public sealed class TailingHistoryTests
{
    private const int Steps = 60;

    private static readonly int s_count = Setting("LOGPIPE_HISTORIES", 25);
    private static readonly int s_seed = Setting("LOGPIPE_HISTORIES_SEED", 1);

    [Fact]
    public void Every_line_of_a_random_history_is_stored_once()
    {
        for (int seed = s_seed; seed < s_seed + s_count; seed++)
        {
            try
            {
                AgentRig.OnOneThread(rig => new History(rig, seed).RunAsync());
            }
            catch (Exception failed)
            {
                Assert.Fail($"seed {seed}: {failed}");
            }
        }
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private sealed class History(AgentRig rig, int seed)
    {
        private const int Joined = 1;
        private const int Filtered = 2;
        private const int Latin = 3;

        private readonly int _kind = seed % 4;
        private readonly Random _random = new(seed);
        private readonly List<string> _written = [];
        private readonly List<string> _steps = [];
        private List<string> _current = [];
        private int _names;
        private int _mounts;
        private bool _running;

        public async Task RunAsync()
        {
            rig.Options = rig.Options with { Inputs = [ShapeOf(rig.Options.Inputs[0] with { Paths = [AgentRig.LogPath + "*"] })] };
            var chance = new Random(seed + 1000);
            rig.Broker.Fate = _ => chance.Next(15) switch
            {
                0 => ProduceFate.DropConnection,
                1 => ProduceFate.TakeThenDropConnection,
                _ => ProduceFate.Take,
            };
            for (int i = 0; i < Steps; i++)
            {
                await StepAsync();
            }
            rig.Broker.Fate = _ => ProduceFate.Take;
            await StartAsync();
            await CaughtUpAsync();
            await rig.PassAsync(rig.Options.CopyWait * 2);
            Assert.True(_written.Order().SequenceEqual(rig.Stored().Order()), $"{Difference()} after {string.Join(' ', _steps)}");
            await rig.StopAsync();
        }

        private async Task StepAsync()
        {
            switch (_random.Next(16))
            {
                case 0:
                    await (_running ? StopAsync() : StartAsync());
                    break;
                case 1 when _running:
                    await KillAsync();
                    break;
                case 2 when _current.Count > 0:
                    Say("rename");
                    rig.Machine.Rename(AgentRig.LogPath, NextName());
                    _current = [];
                    break;
                case 3 when _current.Count > 0:
                    await CopyAndTruncateAsync();
                    break;
                case 4 when _running && _current.Count > 0:
                    await CaughtUpAsync();
                    Say("delete");
                    rig.Machine.Delete(AgentRig.LogPath);
                    _current = [];
                    break;
                case 5 when _running && _current.Count > 1:
                    await CaughtUpAsync();
                    Replace();
                    // Replaced and renamed between two looks, it is a new file under a new name.
                    await (_random.Next(2) == 0 ? CaughtUpAsync() : KillAsync());
                    break;
                case 6 when !_running:
                    Say("mount");
                    string name = $"dev-{++_mounts}";
                    rig.MountOf = path => path.StartsWith("/logs", StringComparison.Ordinal) ? name : null;
                    break;
                case 7 when _running:
                    Say("wait");
                    await rig.PassAsync(rig.Options.RotatedQuiet * _random.Next(1, 4));
                    break;
                default:
                    Write();
                    break;
            }
        }

        private async Task StartAsync()
        {
            if (!_running)
            {
                Say("start");
                _running = true;
                await rig.StartAsync();
            }
        }

        private async Task StopAsync()
        {
            Say("stop");
            _running = false;
            await rig.StopAsync();
        }

        /// <summary>kill -9, and a new start at once.</summary>
        private Task KillAsync()
        {
            Say("kill");
            rig.Kill();
            _running = false;
            return StartAsync();
        }

        private Task CaughtUpAsync() =>
            rig.UntilAsync(() => rig.Agent.IsCaughtUp && rig.Stored().Count >= _written.Count, $"{_written.Count} lines after {string.Join(' ', _steps)}");

        private async Task CopyAndTruncateAsync()
        {
            Say("copy");
            string copy = NextName();
            byte[] text = Bytes();
            int half = _random.Next(text.Length + 1);
            rig.Append(text[..half], copy);
            await rig.PassAsync(TimeSpan.FromMilliseconds(_random.Next(10)));
            rig.Append(text[half..], copy);
            await rig.PassAsync(TimeSpan.FromMilliseconds(_random.Next(10)));
            Say("truncate");
            rig.Truncate();
            _current = [];
        }

        private void Replace()
        {
            Say("replace");
            Add();
            const string Temporary = "/logs/.new";
            rig.Append(Bytes(), Temporary);
            rig.Machine.Rename(Temporary, AgentRig.LogPath);
        }

        private void Write()
        {
            Say("write");
            Add();
            using IFile file = rig.Machine.Open(AgentRig.LogPath, FileOpenMode.ReadWrite);
            file.Write(Written(_current[^1]), file.Length);
        }

        private void Add()
        {
            string line = $"{seed}-{_written.Count}-{new string('x', _random.Next(80))}";
            line += _kind == Joined ? string.Concat(Enumerable.Repeat("\n more", _random.Next(3))) : _kind == Latin ? "é" : "";
            bool isNoise = _kind == Filtered && _random.Next(3) == 0;
            if (!isNoise)
            {
                _written.Add(line);
            }
            _current.Add(isNoise ? "#" + line : line);
        }

        /// <summary>What the agent makes of the lines: every kind has its turn.</summary>
        private InputOptions ShapeOf(InputOptions input) => _kind switch
        {
            Joined => input with { Multiline = new MultilineOptions { Continue = new LinePattern("^ "), Timeout = TimeSpan.FromMilliseconds(10) } },
            Filtered => input with { ExcludeLines = [new LinePattern("^#")] },
            Latin => input with { Encoding = TextEncoding.Latin1 },
            _ => input,
        };

        private byte[] Written(string line) => (_kind == Latin ? Encoding.Latin1 : Encoding.UTF8).GetBytes(line + "\n");

        private byte[] Bytes() => [.. _current.SelectMany(Written)];

        private string NextName() => $"{AgentRig.LogPath}.{++_names}";

        private void Say(string step) => _steps.Add(step);

        private string Difference()
        {
            List<string> stored = rig.Stored();
            IEnumerable<string> twice = stored.GroupBy(line => line).Where(lines => lines.Count() > 1).Select(lines => lines.Key);
            return $"missing: {string.Join(", ", _written.Except(stored))}; twice: {string.Join(", ", twice)}; the log says {string.Join(" | ", rig.Log.Lines)}";
        }
    }
}
