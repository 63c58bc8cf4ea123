using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe config check</c>: reads the configuration as every process would, and says what would run.</summary>
internal static class ConfigVerb
{
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var check = new Verb("check", "Check the configuration and print what would run.",
            "logpipe config check --config logpipe.yaml",
            "LOGPIPE__BROKER__LISTEN=0.0.0.0:9092 logpipe config check") { Config };
        check.Does((parsed, _) =>
        {
            string? file = parsed.GetValue(Config) ?? ConfigurationFile.DefaultPaths.FirstOrDefault(File.Exists);
            var configuration = PipelineConfiguration.Load(file);
            foreach (string line in WhatWouldRun.Describe(configuration))
            {
                Console.WriteLine(line);
            }
            Console.WriteLine($"{file ?? "no file, the environment alone"}: fine{(configuration.IsEmpty ? ", but nothing would run" : "")}");
            return Task.FromResult(Exit.Done);
        });
        return new Verb("config", "Look at the configuration.", "logpipe config check --config logpipe.yaml") { check };
    }
}
