using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>How rows were written at some time: by which parser, format and path.</summary>
internal sealed record OutputForm(ILineParser Parser, IRowFormat Format, FilePathTemplate Paths, int NameVersion)
{
    /// <summary>The form of one of the manifest's configurations; null where the manifest does not tell enough of it.</summary>
    public static OutputForm? Of(Manifest manifest, int version, SinkOptions options)
    {
        FilesVersion made = manifest.Versions[version];
        if (made.Output is not { } output || ParserOf(made, options) is not { } parser)
        {
            return null;
        }
        IRowFormat format = output.NewFormat(parser.Columns);
        return new OutputForm(parser, format, output.NewPaths(), format.Header.Length > 0 ? manifest.NameVersion(version + 1) : 1);
    }

    /// <summary>The configured parser, or one that its name alone tells.</summary>
    private static ILineParser? ParserOf(FilesVersion made, SinkOptions options)
    {
        foreach (ParserOptions known in new[] { options.Parser, made.Parser })
        {
            if ((known == options.Parser || made.Settings.Length == 0) && LineParsers.Names.Contains(known.Type)
                && LineParsers.Named(known) is { } parser && RowColumns.ConfigHash(parser) == made.ConfigHash)
            {
                return parser;
            }
        }
        return null;
    }
}

/// <summary>Offsets of a log that were written in one form.</summary>
/// <param name="Log">The log.</param>
/// <param name="From">The first offset.</param>
/// <param name="To">The offset behind the last.</param>
/// <param name="Form">How.</param>
internal sealed record OutputPart(PinnedLog Log, long From, long To, OutputForm Form);
