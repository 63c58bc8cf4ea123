using System.Globalization;
using System.Text;
using LogPipeline.Contract;
using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>
/// The file <c>dead-letters</c>: records that a broker refused for good, each a line of text about it and then its bytes, so that
/// a person can read and re-send them. Durable before the record counts as left out; after a crash one may stand here twice.
/// <code>
/// # topic=web_log generation=00…2a begin=100 end=224 part=0 length=123 error=MessageTooLarge file=/var/log/x
/// the record's bytes, length as said, then a line feed
/// </code>
/// </summary>
internal sealed class DeadLetterFile(IFileSystem files, string path)
{
    public void Add(string topic, string file, RecordPosition position, ReadOnlySpan<byte> value, string error)
    {
        using IFile letters = files.Open(path, FileOpenMode.ReadWrite);
        long length = letters.Length;
        string about = string.Create(
            CultureInfo.InvariantCulture,
            $"# topic={topic} generation={position.Generation:x16} begin={position.LineBegin} end={position.End} part={position.Part} length={value.Length} error={error} file={file}\n");
        letters.Write([.. Encoding.UTF8.GetBytes(about), .. value, (byte)'\n'], length);
        letters.Flush();
        if (length == 0)
        {
            files.FlushDirectory(Path.GetDirectoryName(path) ?? "");
        }
    }
}
