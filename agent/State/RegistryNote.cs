namespace LogPipeline.Agent.State;

/// <summary>
/// A change of the registry as a frame of the in-flight files. Notes are numbered; the snapshot says from which number on they are not in it.
/// <code>
///   GenerationNote   number i64, then the generation as the registry writes it
///   ForgottenNote    number i64, generation id u64: the registry is without it
/// </code>
/// </summary>
/// <param name="Number">Numbers rise by one from note to note, whatever segments go.</param>
/// <param name="Id">The generation's id.</param>
/// <param name="Generation">All of it as it is now; null when it was forgotten.</param>
internal readonly record struct RegistryNote(long Number, ulong Id, Generation? Generation)
{
    public void Write(StateWriter to)
    {
        to.Begin(Generation is null ? FrameKind.ForgottenNote : FrameKind.GenerationNote);
        to.Int64(Number);
        if (Generation is null)
        {
            to.UInt64(Id);
        }
        else
        {
            Generation.Write(to);
        }
        to.End();
    }

    public static RegistryNote ReadFrom(FrameKind kind, ref StateReader from)
    {
        long number = from.Int64();
        if (kind == FrameKind.ForgottenNote)
        {
            return new RegistryNote(number, from.UInt64(), null);
        }
        Generation generation = Generation.ReadFrom(ref from);
        return new RegistryNote(number, generation.Id, generation);
    }
}
