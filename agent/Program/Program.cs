using LogPipeline.AgentProgram;

return await AgentCommand.RunAsync(CommandLine.WithTheirBytes(args));
