using System.Text;
using LogPipeline.Agent.Shaping;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>Stack traces as run-times print them, between ordinary lines: each is one group, and what follows is another.</summary>
public sealed class TraceRuleTests
{
    private const string DotNet = """
        2026-11-26 08:00:00 [ERR] Order 17 failed
        System.InvalidOperationException: outer
         ---> System.AggregateException: One or more errors occurred. (inner) (second)
         ---> System.ArgumentNullException: Value cannot be null. (Parameter 'order')
           at Shop.Orders.Check(Order order) in /src/Orders.cs:line 12
           at Shop.Orders.<PlaceAsync>d__3.MoveNext() in /src/Orders.cs:line 40
        --- End of stack trace from previous location ---
           at Shop.Orders.PlaceAsync(Order order)
           --- End of inner exception stack trace ---
         ---> (Inner Exception #1) System.TimeoutException: second<---

           --- End of inner exception stack trace ---
           at Shop.Program.Main(String[] args)
        """;

    private const string Java = """
        08:00:00.123 [main] ERROR c.s.Orders - Order 17 failed
        com.shop.OrderException: could not place
        	at com.shop.Orders.place(Orders.java:40)
        	at com.shop.Main.main(Main.java:9)
        	Suppressed: java.io.IOException: close failed
        		at com.shop.Connection.close(Connection.java:3)
        Caused by: java.lang.IllegalStateException: no stock
        	at com.shop.Stock.take(Stock.java:17)
        	... 2 more
        Caused by: java.sql.SQLException: gone
        	... 5 more
        """;

    private const string Python = """
        ERROR:root:order 17 failed
        Traceback (most recent call last):
          File "/app/orders.py", line 3, in place
            take(order)
          File "/app/stock.py", line 7, in take
            raise KeyError(order)
        KeyError: 17

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "/app/main.py", line 12, in <module>
            place(17)
        RuntimeError: could not place
        """;

    private const string Go = """
        panic: runtime error: invalid memory address or nil pointer dereference [recovered]
        	panic: again
        [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48f3a1]

        goroutine 1 [running]:
        main.place(0x11, {0xc000012018, 0x2})
        	/app/main.go:12 +0x1d
        main.main()
        	/app/main.go:7 +0x2a

        goroutine 18 [chan receive]:
        created by main.start
        	/app/start.go:3 +0x4c
        exit status 2
        """;

    private const string Node = """
        /app/index.js:3
            throw new Error('could not place', { cause });
            ^

        Error: could not place
            at Object.<anonymous> (/app/index.js:3:9)
            at Module._compile (node:internal/modules/cjs/loader:1233:14) {
          code: 'E_STOCK',
          [cause]: TypeError: Cannot read properties of undefined (reading 'x')
              at place (/app/stock.js:7:3)
        }

        Node.js v20.11.0
        """;

    private static readonly (string Trace, TraceKinds Kind)[] s_traces =
        [(DotNet, TraceKinds.DotNet), (Java, TraceKinds.Java), (Python, TraceKinds.Python), (Go, TraceKinds.Go), (Node, TraceKinds.Node)];

    [Fact]
    public void A_trace_is_one_group_by_its_own_preset_and_by_all()
    {
        foreach ((string trace, TraceKinds kind) in s_traces)
        {
            foreach (TraceKinds preset in new[] { kind, TraceKinds.All })
            {
                List<string> groups = Groups(preset, $"first line\n{trace}\n2026-11-26 08:00:01 next\nand another (one)\n");
                // An empty line of .NET's inside of its trace parts nothing; the line before is the log's own.
                Assert.True(groups.Count == 4 && groups[1] == trace, $"{kind} by {preset}: {string.Join("\n====\n", groups)}");
            }
        }
    }

    [Fact]
    public void Two_traces_in_a_row_are_two_groups() =>
        Assert.Equal(
            ["System.Exception: a\n   at X()", "System.Exception: b\n   at Y()", "ok"],
            Groups(TraceKinds.DotNet, "System.Exception: a\n   at X()\nSystem.Exception: b\n   at Y()\nok\n"));

    [Theory]
    [InlineData("GET /a?x=Error: b 200")]
    [InlineData("Error rate is 5 %")]
    [InlineData("{\"level\":\"Error\"}")]
    [InlineData("")]
    public void Ordinary_lines_stay_apart(string line) => Assert.Equal(["before", line, "after"], Groups(TraceKinds.All, $"before\n{line}\nafter\n"));

    private static List<string> Groups(TraceKinds kinds, string text)
    {
        var rule = new TraceRule(kinds);
        List<string> groups = [];
        TraceState state = TraceState.Ordinary;
        foreach (string line in text.ReplaceLineEndings("\n")[..^1].Split('\n'))
        {
            byte[] bytes = Encoding.UTF8.GetBytes(line);
            if (groups.Count > 0 && rule.Continues(bytes, ref state))
            {
                groups[^1] += "\n" + line;
            }
            else
            {
                groups.Add(line);
                state = rule.Begin(bytes);
            }
        }
        return groups;
    }
}
