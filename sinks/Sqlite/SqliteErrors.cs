using static SQLitePCL.raw;

namespace LogPipeline.Sinks.Sqlite;

/// <summary>Sorts SQLite's result codes: wait for it, or stop with a reason.</summary>
internal static class SqliteErrors
{
    /// <param name="code">An error, with or without its extension.</param>
    /// <param name="text">What happened to which file.</param>
    public static Exception Of(int code, string text) => (code & 0xFF) switch
    {
        SQLITE_BUSY or SQLITE_LOCKED => new StoreUnavailableException($"{text}. Another process writes to it."),
        SQLITE_FULL or SQLITE_IOERR or SQLITE_NOMEM => new StoreUnavailableException($"{text}. Check the disk's space."),
        SQLITE_CANTOPEN or SQLITE_READONLY or SQLITE_PERM => new StoreRefusedException($"{text}. Check that the path is right and may be written."),
        SQLITE_CORRUPT or SQLITE_NOTADB => new StoreRefusedException($"{text}. Restore it from a backup, or move it away and give the sink a new name."),
        _ => new StoreRefusedException(text),
    };
}
