using System.Diagnostics;
using System.Text;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Sinks.Events;

/// <summary>
/// What a program prints, on standard output and on standard error: the beginning is kept, and all of it is read, so that it never waits for a reader.
/// Reading goes on behind the program's own end where it left others with its output.
/// </summary>
internal sealed class ProgramOutput
{
    private const int BytesMax = 2000;

    /// <summary>What the program printed is in its pipes when it ends; the end of a pipe is not to be waited for, since a program that it left behind may hold it.</summary>
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(1);

    private readonly Part[] _parts;

    public ProgramOutput(Process program) => _parts = [new Part(program.StandardOutput.BaseStream), new Part(program.StandardError.BaseStream)];

    /// <summary>What has been printed, to be asked for when the program has ended; empty where that is nothing.</summary>
    public async Task<string> TextAsync(TimeProvider time)
    {
        using var deadline = new CancellationTokenSource(EndMax, time);
        try
        {
            await Task.WhenAll(_parts.Select(part => part.Read)).OrCancelled(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            // Somebody else still has the pipe.
        }
        return string.Join(' ', _parts.Select(part => part.Text()).Where(text => text.Length > 0));
    }

    private sealed class Part
    {
        private readonly byte[] _kept = new byte[BytesMax];
        private readonly Lock _gate = new(); // guards _kept, _length and _isCut
        private int _length;
        private bool _isCut;

        public Part(Stream from) => Read = ReadAsync(from);

        public Task Read { get; }

        public string Text()
        {
            lock (_gate)
            {
                return Encoding.UTF8.GetString(_kept, 0, _length).Trim() + (_isCut ? " …" : "");
            }
        }

        private async Task ReadAsync(Stream from)
        {
            byte[] buffer = new byte[4096];
            int read;
            while ((read = await from.ReadAsync(buffer)) > 0)
            {
                lock (_gate)
                {
                    int kept = Math.Min(read, BytesMax - _length);
                    buffer.AsSpan(0, kept).CopyTo(_kept.AsSpan(_length));
                    _length += kept;
                    _isCut |= kept < read;
                }
            }
            await from.DisposeAsync();
        }
    }
}
