using LogPipeline.Agent.Machine;

namespace LogPipeline.Agent.Tests.Machine;

public sealed class JournalSourceTests
{
    [Fact]
    public void What_journalctl_cannot_show_is_one_sentence_without_how_to_turn_it_off()
    {
        string[] lines =
        [
            "Hint: You are currently not seeing messages from other users and the system.",
            "      Users in groups 'adm', 'systemd-journal' can see all messages.",
            "      Pass -q to turn off this notice.",
        ];
        Assert.Equal(
            "Hint: You are currently not seeing messages from other users and the system. Users in groups 'adm', 'systemd-journal' can see all messages.",
            lines.Aggregate("", JournalSource.Said));
        Assert.Equal("Users in the 'systemd-journal' group can see them.", JournalSource.Said("", "Users in the 'systemd-journal' group can see them. Pass -q to turn off this notice."));
        Assert.Equal("No journal files were found.", JournalSource.Said("Hint: before", "No journal files were found."));
        Assert.Equal("before", JournalSource.Said("before", null));
    }
}
