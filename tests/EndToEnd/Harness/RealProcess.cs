using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace LogPipeline.EndToEnd.Harness;

/// <summary>A program that runs as a user would run it. What it prints is kept; disposed, it is killed.</summary>
internal sealed partial class RealProcess : IAsyncDisposable
{
    private const int SigHup = 1;
    private const int SigInt = 2;
    private const int SigTerm = 15;
    private const int SigContinue = 18;
    private const int SigStop = 19;

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _output = [];
    private readonly StringBuilder _errors = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RealProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data, error: false);
        process.ErrorDataReceived += (_, line) => Take(line.Data, error: true);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => Wake();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Errors
    {
        get
        {
            lock (_lock)
            {
                return _errors.ToString();
            }
        }
    }

    public IReadOnlyList<string> Output
    {
        get
        {
            lock (_lock)
            {
                return [.. _output];
            }
        }
    }

    public TimeSpan CpuTime => _process.TotalProcessorTime;

    public long PeakMemory
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    public static RealProcess Start(string program, string folder, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string? name, string? value) in environment ?? [])
        {
            start.Environment[name] = value;
        }
        var process = new RealProcess(new Process { StartInfo = start });
        process._process.Start();
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int Status, string Output, string Errors)> RunAsync(
        string program, string folder, IEnumerable<string> arguments, byte[]? input = null, TimeSpan? within = null)
    {
        await using RealProcess process = Start(program, folder, arguments);
        if (input is not null)
        {
            await process._process.StandardInput.BaseStream.WriteAsync(input);
        }
        process._process.StandardInput.Close();
        int status = await process.ExitAsync(within ?? TimeSpan.FromSeconds(60));
        return (status, string.Concat(process.Output.Select(line => line + "\n")), process.Errors);
    }

    /// <summary>Waits for a line of its standard output.</summary>
    public async Task<string> LineAsync(Predicate<string> wanted, TimeSpan within)
    {
        using var time = new CancellationTokenSource(within);
        while (true)
        {
            Task more;
            lock (_lock)
            {
                if (_output.Find(wanted) is { } line)
                {
                    return line;
                }
                more = _more.Task;
            }
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"{Describe()} ended with {_process.ExitCode} before it was ready: {Errors}");
            }
            try
            {
                await more.WaitAsync(time.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"{Describe()} did not print the line within {within.TotalSeconds} s; it printed {string.Join(" | ", Output)} and {Errors}");
            }
        }
    }

    /// <summary>Waits until its standard error has a text: a log line comes through a queue and a pipe, so later than what it tells of.</summary>
    public Task SaidAsync(string text) =>
        Deadline.UntilAsync(TimeSpan.FromSeconds(60), () => Task.FromResult(Errors.Contains(text, StringComparison.Ordinal)), () => $"{Describe()} did not say '{text}': {Errors}");

    /// <summary>Writes to its standard input, which stays open.</summary>
    public async Task WriteInputAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for its line <c>ready: …</c></summary>
    public Task<string> ReadyAsync() => LineAsync(line => line.StartsWith("ready: ", StringComparison.Ordinal), TimeSpan.FromSeconds(60));

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to stop (SIGTERM), and returns its status.</summary>
    public Task<int> TerminateAsync() => StopAsync(SigTerm);

    /// <summary>The same as by Ctrl-C (SIGINT).</summary>
    public Task<int> InterruptAsync() => StopAsync(SigInt);

    private Task<int> StopAsync(int signal)
    {
        Assert.Equal(0, Signal(_process.Id, signal));
        return ExitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>SIGHUP.</summary>
    public void HangUp() => Assert.Equal(0, Signal(_process.Id, SigHup));

    /// <summary>Nothing of it runs until <see cref="Continue"/>.</summary>
    public void Freeze() => Assert.Equal(0, Signal(_process.Id, SigStop));

    public void Continue() => Assert.Equal(0, Signal(_process.Id, SigContinue));

    public async Task<int> ExitAsync(TimeSpan within)
    {
        using var time = new CancellationTokenSource(within);
        try
        {
            await _process.WaitForExitAsync(time.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Describe()} did not end within {within.TotalSeconds} s; it printed {string.Join(" | ", Output.TakeLast(20))} and {Errors}");
        }
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private string Describe() => $"{Path.GetFileName(_process.StartInfo.FileName)} {string.Join(' ', _process.StartInfo.ArgumentList)}";

    private void Take(string? line, bool error)
    {
        if (line is null)
        {
            return;
        }
        lock (_lock)
        {
            if (error)
            {
                _errors.Append(line).Append('\n');
            }
            else
            {
                _output.Add(line);
            }
        }
        Wake();
    }

    private void Wake()
    {
        lock (_lock)
        {
            _more.TrySetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);
}
