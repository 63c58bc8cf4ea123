using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query.Live;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>How rows were written at some time: by which parser, filter, format and path.</summary>
internal sealed record OutputForm(ILineParser Parser, IRowFormat Format, FilePathTemplate Paths, int NameVersion)
{
    /// <summary>Which rows were written; null: all.</summary>
    public SinkFilter? Filter { get; } = SinkFilter.Of(Parser);

    /// <summary>The form of one of the manifest's configurations; null where the manifest does not tell enough of it.</summary>
    public static OutputForm? Of(Manifest manifest, int version, SinkOptions options)
    {
        FilesVersion made = manifest.Versions[version];
        if (made.Output is not { } output || ParserOfVersion.Find(options.Parser, made.Parser, made.Where, made.ConfigHash) is not { } parser)
        {
            return null;
        }
        IRowFormat format = output.NewFormat(parser.Columns);
        return new OutputForm(parser, format, output.NewPaths(), format.Header.Length > 0 ? manifest.NameVersion(version + 1) : 1);
    }
}

/// <summary>Offsets of a log that were written in one form.</summary>
/// <param name="Log">The log.</param>
/// <param name="From">The first offset.</param>
/// <param name="To">The offset behind the last.</param>
/// <param name="Form">How.</param>
internal sealed record OutputPart(PinnedLog Log, long From, long To, OutputForm Form);
