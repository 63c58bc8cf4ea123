using LogPipeline.Cli;

return await CommandTree.RunAsync(args);
