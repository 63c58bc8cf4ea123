using System.Runtime.InteropServices;

namespace LogPipeline.Agent.Machine;

/// <summary>Chance from the kernel: ids made of it never meet. Asked directly, since the library's way loads all of OpenSSL.</summary>
internal sealed partial class SystemRandom() : Random(0)
{
    public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

    public override void NextBytes(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            // It gives less than was asked for only where a signal comes between.
            nint got = GetRandom(ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length, 0);
            buffer = buffer[(int)Math.Max(got, 0)..];
        }
    }

    public override int Next() => (int)(Sample() * int.MaxValue);

    public override int Next(int maxValue) => (int)(Sample() * maxValue);

    public override int Next(int minValue, int maxValue) => minValue + (int)(Sample() * ((long)maxValue - minValue));

    public override double NextDouble() => Sample();

    /// <summary>53 random bits: from 0 on, below 1.</summary>
    protected override double Sample()
    {
        Span<byte> bytes = stackalloc byte[8];
        NextBytes(bytes);
        return (MemoryMarshal.Read<ulong>(bytes) >> 11) * (1.0 / (1UL << 53));
    }

    [LibraryImport("libc", EntryPoint = "getrandom", SetLastError = true)]
    private static partial nint GetRandom(ref byte buffer, nuint length, uint flags);
}
