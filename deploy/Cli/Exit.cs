namespace LogPipeline.Cli;

/// <summary>What the program's exit status means. Scripts rely on it.</summary>
internal static class Exit
{
    public const int Done = 0;

    /// <summary>The question was answered, and the answer is no: <c>verify</c> found a difference.</summary>
    public const int AnswerIsNo = 1;

    /// <summary>The command line or the configuration cannot be used.</summary>
    public const int Usage = 2;

    /// <summary>A broker or a database cannot be reached, or it refuses.</summary>
    public const int Unreachable = 3;

    /// <summary>A defect of this program; the whole trace is on standard error.</summary>
    public const int Defect = 70;

    /// <summary>From here on: a signal came before the verb was done, 128 and its number.</summary>
    public const int Interrupted = 128;
}
