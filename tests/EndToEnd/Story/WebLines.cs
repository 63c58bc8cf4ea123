using System.Globalization;

namespace LogPipeline.EndToEnd.Story;

/// <summary>Lines of nginx's combined format, the same for the same seed; line k has <c>n=k</c> in its query.</summary>
internal static class WebLines
{
    private static readonly string[] Paths = ["/api/v1/users", "/img", "/search", "/cart/login", "/products", "/static/orders"];
    private static readonly int[] Statuses = [200, 200, 200, 200, 304, 301, 404, 403, 500, 502];

    /// <summary>As many as are taken.</summary>
    public static IEnumerable<string> Make(int seed)
    {
        var random = new Random(seed);
        for (int k = 0; ; k++)
        {
            string time = new DateTime(2026, 11, 21, 0, 0, 0, DateTimeKind.Utc).AddSeconds(k / 900).ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture);
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{random.Next(1, 224)}.{random.Next(256)}.{random.Next(256)}.{random.Next(1, 255)} - - [{time} +0000] \"GET {Paths[random.Next(Paths.Length)]}?n={k} HTTP/1.1\" {Statuses[random.Next(Statuses.Length)]} {random.Next(80, 60000)} \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\"");
        }
    }
}
