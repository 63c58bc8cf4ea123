namespace LogPipeline.Files.Waiting;

/// <summary>
/// A thread's turn: it serves several requests in one go, and what each of them asks for, but is cheaper once for all of them, is put
/// off to the turn's end. Turns do not nest: one that begins within another is part of it.
/// </summary>
public static class Turn
{
    [ThreadStatic]
    private static List<Action>? s_putOff; // in the order of asking
    [ThreadStatic]
    private static HashSet<Action>? s_waiting; // those of them that were not run yet
    [ThreadStatic]
    private static bool s_isUnderWay;

    /// <summary>Begins a turn of the calling thread, which ends when the result is disposed on the same thread.</summary>
    public static Scope Begin()
    {
        bool isOuter = !s_isUnderWay;
        s_isUnderWay = true;
        return new Scope(isOuter);
    }

    /// <summary>Runs the work at the end of the calling thread's turn, or at once when there is no turn.</summary>
    /// <param name="work">Must not throw. The same delegate is run once a turn, however often it is given.</param>
    public static void AtEnd(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!s_isUnderWay)
        {
            work();
            return;
        }
        if ((s_waiting ??= []).Add(work))
        {
            (s_putOff ??= []).Add(work);
        }
    }

    private static void End()
    {
        if (s_putOff is { } putOff)
        {
            for (int i = 0; i < putOff.Count; i++) // what runs may put off more
            {
                s_waiting!.Remove(putOff[i]);
                putOff[i]();
            }
            putOff.Clear();
        }
        s_isUnderWay = false;
    }

    /// <summary>A turn that is under way.</summary>
    public readonly ref struct Scope
    {
        private readonly bool _isOuter;

        internal Scope(bool isOuter) => _isOuter = isOuter;

        /// <summary>Ends the turn and runs what was put off.</summary>
        public void Dispose()
        {
            if (_isOuter)
            {
                End();
            }
        }
    }
}
