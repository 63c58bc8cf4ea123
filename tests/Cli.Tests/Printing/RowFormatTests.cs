using System.Text.Json;
using LogPipeline.Cli.Printing;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Tests.Printing;

public class RowFormatTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 21, 8, 30, 0, 123, TimeSpan.Zero);

    private static readonly LogRow Plain = new("web_log", 0, 7, Time, "web1", "/var/log/a.log", "00ff", 100, 0, "say \"hi\", Ünï", null, true, [200L, "/a,b"]);

    private static readonly LogRow Broken = Plain with { LogOffset = 8, Line = "\u001b[2Jnul\0", Raw = [0x1b, 0xff, 0x00], Parsed = false, Columns = [null, null] };

    private static readonly RowView View = new(["status", "path"]);

    [Fact]
    public void Json_is_one_array_that_programs_read_back()
    {
        var output = new StringWriter();
        var rows = new JsonRows(View.Choose(null, forScreen: false), output, array: true);
        rows.Write(Plain);
        rows.Write(Broken);
        rows.End();
        using var json = JsonDocument.Parse(output.ToString());
        Assert.Equal(2, json.RootElement.GetArrayLength());
        Assert.Equal("say \"hi\", Ünï", json.RootElement[0].GetProperty("line").GetString());
        Assert.Equal(200, json.RootElement[0].GetProperty("status").GetInt32());
        Assert.Equal(Time, json.RootElement[0].GetProperty("time").GetDateTimeOffset());
        Assert.Equal(Broken.Raw, json.RootElement[1].GetProperty("raw").GetBytesFromBase64());
        Assert.Equal(JsonValueKind.Null, json.RootElement[1].GetProperty("status").ValueKind);
    }

    [Fact]
    public void Json_without_rows_is_an_empty_array()
    {
        var output = new StringWriter();
        new JsonRows(View.Choose(null, forScreen: false), output, array: true).End();
        Assert.Equal("[]\n", output.ToString());
    }

    [Fact]
    public void Jsonl_is_one_object_a_line()
    {
        var output = new StringWriter();
        var rows = new JsonRows(View.Choose(["status,path"], forScreen: false), output, array: false);
        rows.Write(Plain);
        rows.Write(Plain);
        rows.End();
        Assert.Equal("{\"status\":200,\"path\":\"/a,b\"}\n{\"status\":200,\"path\":\"/a,b\"}\n", output.ToString());
    }

    [Fact]
    public void Csv_quotes_what_needs_it()
    {
        var output = new StringWriter();
        var rows = new CsvRows(View.Choose(["time", "status", "path", "line"], forScreen: false), output);
        rows.Write(Plain);
        rows.Write(Broken);
        rows.End();
        Assert.Equal("time,status,path,line\r\n2026-11-21T08:30:00.123Z,200,\"/a,b\",\"say \"\"hi\"\", Ünï\"\r\n2026-11-21T08:30:00.123Z,,,\u001b[2Jnul\0\r\n", output.ToString());
    }

    [Fact]
    public void Table_shows_control_characters_as_pictures()
    {
        var output = new StringWriter();
        var rows = new TableRows(View.Choose(["line", "status"], forScreen: true), output, screen: null);
        rows.Write(Broken);
        rows.End();
        Assert.Contains("␛[2Jnul␀", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[2J", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_column_names_the_nearest()
        => Assert.StartsWith("there is no column 'staus'; did you mean 'status'?",
            Assert.Throws<ConfigurationException>(() => View.Choose(["staus"], forScreen: true)).Message, StringComparison.Ordinal);
}
