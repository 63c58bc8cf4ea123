using LogPipeline.Agent;

return await AgentCommand.RunAsync(args);
