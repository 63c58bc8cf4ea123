using LogPipeline.Cli.KafkaTools;

namespace LogPipeline.Cli.Tests.KafkaTools;

public class JavaPropertiesTests
{
    [Theory]
    [InlineData("a=b", "a", "b")]
    [InlineData("  a : b c ", "a", "b c")]
    [InlineData("a b", "a", "b")]
    [InlineData("a=", "a", "")]
    [InlineData("a=b=c", "a", "b=c")]
    [InlineData("a=x,\\\n   y", "a", "x,y")]
    [InlineData("a\\=b=c\\td\\u0041", "a=b", "c\tdA")]
    [InlineData("# a=no\n! b=no\nc=yes\r\n", "c", "yes")]
    [InlineData("a=1\na=2", "a", "2")]
    public void Lines_are_read_as_Java_reads_them(string text, string key, string value)
        => Assert.Equal([KeyValuePair.Create(key, value)], JavaProperties.Read(text));
}
