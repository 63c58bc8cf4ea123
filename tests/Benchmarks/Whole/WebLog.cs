using System.Globalization;

namespace LogPipeline.Benchmarks.Whole;

/// <summary>Lines of nginx's combined format, some 220 bytes each, the same for the same numbers.</summary>
internal static class WebLog
{
    private static readonly string[] Paths = ["/api/v1/users", "/img", "/search", "/cart/login", "/products", "/static/orders"];

    public static void Write(string path, int first, int count)
    {
        using var file = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, 1 << 20)) { NewLine = "\n" };
        for (int k = first; k < first + count; k++)
        {
            uint mix = (uint)k * 2654435761u;
            file.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{mix >> 24}.{(mix >> 16) & 255}.{(mix >> 8) & 255}.{mix & 255} - - [21/Nov/2026:08:{k / 54000 % 60:D2}:{k / 900 % 60:D2} +0000] \"GET {Paths[mix % 6]}?n={k} HTTP/1.1\" {(mix % 50 == 0 ? 500 : 200)} {mix % 60000} \"https://shop.example.com/cart\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\""));
        }
    }
}
