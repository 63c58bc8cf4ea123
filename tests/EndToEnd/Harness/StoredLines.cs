namespace LogPipeline.EndToEnd.Harness;

/// <summary>The rows of the sink <c>web</c> of a workspace whose application writes <c>line 1</c>, <c>line 2</c>, ….</summary>
internal static class StoredLines
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    /// <summary>An agent that reads some files of the workspace, and the sink <c>web</c>, which writes to SQLite.</summary>
    /// <param name="workspace">Gets the configuration.</param>
    /// <param name="bootstrap">The broker's address.</param>
    /// <param name="path">Of the files, from the workspace's folder on; may be a pattern.</param>
    public static void Configure(Workspace workspace, string bootstrap, string path) => workspace.Configure($$"""
        agent:
          bootstrap: {{bootstrap}}
          status_topic: off
          inputs:
            - paths: ["{{workspace.Folder}}/{{path}}"]
              topic: web_log
        sinks:
          - name: web
            bootstrap: {{bootstrap}}
            topics: [web_log]
            sqlite: { file: rows.db, table: web }
        """);

    /// <summary>Waits until there are so many rows, and requires that each line is there once.</summary>
    /// <param name="workspace">Its configuration names the sink.</param>
    /// <param name="lines">From the first on.</param>
    /// <param name="agent">What it said is told where the rows do not come.</param>
    public static async Task UntilAsync(Workspace workspace, int lines, RealProcess agent)
    {
        string[] stored = [];
        await Deadline.UntilAsync(Within, async () =>
        {
            string output = (await workspace.RunAsync("query", "--sink", "web", "--columns", "line", "--limit", "0", "--output", "csv")).Output;
            stored = [.. output.Split('\n').Where(static line => line.StartsWith("line ", StringComparison.Ordinal)).Order()];
            return stored.Length >= lines;
        }, () => $"{agent.Errors}{string.Join('\n', stored)}");
        Assert.Equal(Enumerable.Range(1, lines).Select(static i => $"line {i}"), stored);
    }
}
