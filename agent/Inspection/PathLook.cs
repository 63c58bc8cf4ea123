using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;

namespace LogPipeline.Agent.Inspection;

/// <summary>What a path is on this disk, and what alone keeps an agent from reading it.</summary>
internal sealed record PathLook
{
    /// <summary>Null when nothing is there, or it cannot be asked for.</summary>
    public FileStatus? Status { get; private init; }

    /// <summary>Where its links lead to; null when there are none in it, or they lead nowhere.</summary>
    public string? RealPath { get; private init; }

    /// <summary>Why it cannot be read, and what would change that; null when it can.</summary>
    public (string Reason, string Advice)? Obstacle { get; private init; }

    public FileIdentity? Identity => Status is FileStatus status ? FileIdentity.Of(status) : null;

    public static PathLook At(IFileSystem files, string path, string? link)
    {
        FileStatus? status;
        try
        {
            status = files.Stat(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new PathLook { Obstacle = (refused.Message, "let the agent's user enter the directories above it") };
        }
        if (status is not FileStatus found)
        {
            return new PathLook
            {
                Obstacle = link is null
                    ? ("there is no such file", "it is read as soon as there is one")
                    : ($"it is a link to {link}, and nothing is there", "it is read as soon as there is a file"),
            };
        }
        string? real = files.RealPath(path);
        return new PathLook { Status = status, RealPath = real == path ? null : real, Obstacle = ObstacleOf(files, path, found) };
    }

    public static FileStatus? TryStat(IFileSystem files, string path)
    {
        try
        {
            return files.Stat(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static (string, string)? ObstacleOf(IFileSystem files, string path, FileStatus status)
    {
        switch (status.Kind)
        {
            case FileKind.Directory:
                return ("it is a directory", $"name its files, such as {path}/*.log");
            case FileKind.Other:
                return ("it is a pipe, a socket or a device", "let the application write to a file, or pipe it into logpipe-agent --stdin");
        }
        try
        {
            using IFile file = files.Open(path, FileOpenMode.Read);
            return ContentCheck.BeginOf(file).IsCompressed
                ? ("it is compressed: its lines were read before it was, or are older than the agent", "unpack it to another name that an input matches") : null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return (refused.Message, "let the agent's user read it");
        }
    }
}
