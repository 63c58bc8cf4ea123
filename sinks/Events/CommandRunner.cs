using System.Diagnostics;
using MassTransit;

namespace LogPipeline.Sinks.Events;

/// <summary>Runs the configured program for each notice for people, with the notice as JSON on its standard input. It may take half a minute.</summary>
public sealed class CommandRunner(NoticeTargets targets, TimeProvider time) : IConsumer<SinkNotice>
{
    private static readonly TimeSpan RunMax = TimeSpan.FromSeconds(30);

    public async Task Consume(ConsumeContext<SinkNotice> context)
    {
        if (targets.Command.Count == 0 || !context.Message.IsForPeople)
        {
            return;
        }
        var start = new ProcessStartInfo(targets.Command[0], targets.Command.Skip(1)) { RedirectStandardInput = true };
        using Process program = Process.Start(start) ?? throw new IOException($"{targets.Command[0]} did not start");
        using var deadline = new CancellationTokenSource(RunMax, time);
        try
        {
            await WriteAsync(program, NoticeJson.Write(context.Message), deadline.Token);
            await program.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            program.Kill(entireProcessTree: true);
            throw new IOException($"{targets.Command[0]} did not end within {RunMax.TotalSeconds:0} s and was killed");
        }
        if (program.ExitCode != 0)
        {
            throw new IOException($"{targets.Command[0]} ended with status {program.ExitCode}");
        }
    }

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
