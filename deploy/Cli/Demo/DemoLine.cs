using System.Globalization;

namespace LogPipeline.Cli.Demo;

/// <summary>One line of nginx's <c>combined</c> format, with a mix of answers as a shop would see it.</summary>
internal static class DemoLine
{
    private static readonly string[] Paths = ["/", "/search", "/cart", "/login", "/api/orders", "/api/users", "/products/17", "/products/42", "/static/app.js", "/static/app.css"];
    private static readonly string[] Referers = ["-", "https://shop.example.com/", "https://www.example.com/search?q=shoes"];

    private static readonly string[] Agents =
    [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
        "curl/8.5.0",
        "kube-probe/1.29",
    ];

    public static string Make(Random random, DateTimeOffset time, long number)
    {
        string address = $"{random.Next(1, 224)}.{random.Next(256)}.{random.Next(256)}.{random.Next(1, 255)}";
        string at = time.ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture);
        string method = random.Next(10) switch { < 8 => "GET", 8 => "POST", _ => "PUT" };
        int status = random.Next(100) switch { < 85 => 200, < 91 => 304, < 93 => 301, < 97 => 404, < 98 => 403, < 99 => 500, _ => 502 };
        return string.Create(CultureInfo.InvariantCulture,
            $"{address} - - [{at} +0000] \"{method} {Pick(random, Paths)}?n={number} HTTP/1.1\" {status} {random.Next(80, 60000)} \"{Pick(random, Referers)}\" \"{Pick(random, Agents)}\"");
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
