using System.Diagnostics;
using LogPipeline.Sinks.Telemetry;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Events;

/// <summary>
/// Runs the configured program for each notice for people, with the notice as JSON on its standard input. It may take half a minute. What it prints goes to the log.
/// </summary>
public sealed class CommandRunner(NoticeTargets targets, TimeProvider time, ILogger<CommandRunner> logger) : IConsumer<SinkNotice>
{
    private static readonly TimeSpan RunMax = TimeSpan.FromSeconds(30);

    public async Task Consume(ConsumeContext<SinkNotice> context)
    {
        if (targets.Command.Count == 0 || !context.Message.IsForPeople)
        {
            return;
        }
        var start = new ProcessStartInfo(targets.Command[0], targets.Command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process program = Process.Start(start) ?? throw new IOException($"{targets.Command[0]} did not start");
        var output = new ProgramOutput(program);
        using var deadline = new CancellationTokenSource(RunMax, time);
        try
        {
            await WriteAsync(program, NoticeJson.Write(context.Message), deadline.Token);
            await program.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            program.Kill(entireProcessTree: true);
            throw new IOException(With(await output.TextAsync(time), $"{targets.Command[0]} did not end within {RunMax.TotalSeconds:0} s and was killed"));
        }
        string printed = await output.TextAsync(time);
        if (program.ExitCode != 0)
        {
            throw new IOException(With(printed, $"{targets.Command[0]} ended with status {program.ExitCode}"));
        }
        if (printed.Length > 0)
        {
            SinkLog.ProgramPrinted(logger, targets.Command[0], printed);
        }
    }

    private static string With(string printed, string what) => printed.Length == 0 ? what : $"{what}: {printed}";

    private static async Task WriteAsync(Process program, byte[] notice, CancellationToken deadline)
    {
        try
        {
            await program.StandardInput.BaseStream.WriteAsync(notice, deadline);
            program.StandardInput.Close();
        }
        catch (IOException)
        {
            // It does not read its input.
        }
    }
}
