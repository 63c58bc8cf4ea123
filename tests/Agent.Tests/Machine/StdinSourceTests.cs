using System.IO.Pipes;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Machine;
using LogPipeline.Agent.Sources;
using LogPipeline.Agent.State;
using LogPipeline.Testing.Files;
using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Agent.Tests.Machine;

/// <summary>A real pipe that is read as standard input is.</summary>
public sealed class StdinSourceTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private readonly AnonymousPipeServerStream _writer = new(PipeDirection.Out);
    private readonly AnonymousPipeClientStream _reader;
    private readonly SafeFileHandle _handle;
    private readonly CancellationTokenSource _stop = new();
    private readonly Spool _spool = new(
        new MemoryFileSystem(new MemoryDisk(TimeProvider.System)), "/spool", 1 << 20, new DiskPause(TimeProvider.System, static fault => throw fault, default));

    public StdinSourceTests()
    {
        _reader = new AnonymousPipeClientStream(PipeDirection.In, _writer.ClientSafePipeHandle);
        _handle = new SafeFileHandle(_reader.SafePipeHandle.DangerousGetHandle(), ownsHandle: false);
    }

    public void Dispose()
    {
        _spool.Dispose();
        _stop.Dispose();
        _handle.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }

    [Fact]
    public async Task What_comes_after_a_stop_stays_in_the_pipe()
    {
        var spooled = new TaskCompletionSource();
        _spool.Grown = _ => spooled.TrySetResult();
        Task running = StdinSource.ReadAsync(_reader, _handle, TextEncoding.Auto, _spool, _stop.Token);
        _writer.Write("one\n"u8);
        await spooled.Task.WaitAsync(Within);
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        _writer.Write("two\n"u8);
        byte[] rest = new byte[8];
        Assert.Equal(4, await _reader.ReadAsync(rest).AsTask().WaitAsync(Within));
        Assert.Equal("one"u8.ToArray(), _spool.LastLine());
    }

    [Fact]
    public async Task The_writers_end_is_the_end()
    {
        Task running = StdinSource.ReadAsync(_reader, _handle, TextEncoding.Auto, _spool, _stop.Token);
        _writer.Write("one\nthe rest"u8);
        _writer.Dispose();
        await running.WaitAsync(Within);
        Assert.Equal("the rest"u8.ToArray(), _spool.LastLine());
    }
}
