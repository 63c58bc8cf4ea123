using System.Text.Encodings.Web;
using System.Text.Json;

namespace LogPipeline.Sinks.Events;

/// <summary>A notice as other programs get it: <c>{"time":"…","sink":"web_log","kind":"alert","is_alert":true,"text":"…"}</c>.</summary>
internal static class NoticeJson
{
    /// <summary>For programs, not for a page: what HTML gives a meaning to stays as it is.</summary>
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(SinkNotice notice)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Plain))
        {
            json.WriteStartObject();
            json.WriteString("time", notice.Time);
            json.WriteString("sink", notice.Sink);
            json.WriteString("kind", notice.Kind);
            json.WriteBoolean("is_alert", notice.IsAlert);
            json.WriteString("text", notice.Text);
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }
}
