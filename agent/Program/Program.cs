using LogPipeline.AgentProgram;

return await AgentCommand.RunAsync(args);
