using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Verification;

/// <summary>Makes the parser again that rows were made with, of what was noted with them.</summary>
internal static class ParserOfVersion
{
    /// <summary>The configured parser, or one that its name alone tells, with the filter of that time; null where neither has the noted hash.</summary>
    /// <param name="configured">The sink's.</param>
    /// <param name="name">The noted parser's.</param>
    /// <param name="where">The noted filter; null: all rows were stored.</param>
    /// <param name="configHash">See <see cref="RowColumns.ConfigHash"/>.</param>
    public static ILineParser? Find(ParserOptions configured, string name, string? where, string configHash)
    {
        foreach (ParserOptions known in new[] { configured with { Where = where }, new ParserOptions { Type = name, Where = where } })
        {
            try
            {
                if (LineParsers.Named(known) is { } parser && RowColumns.ConfigHash(parser) == configHash)
                {
                    return parser;
                }
            }
            catch (SinkConfigurationException)
            {
                // No parser of this program, or one that needs settings.
            }
        }
        return null;
    }
}
