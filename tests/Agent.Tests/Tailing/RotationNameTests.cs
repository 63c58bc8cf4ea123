using LogPipeline.Agent.Tailing;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>What the names that rotations give tell.</summary>
public sealed class RotationNameTests
{
    [Theory]
    [InlineData("access.log.1", "access.log.2.gz", true)]
    [InlineData("access.log.10", "access.log.9", true)]
    [InlineData("access.log.9", "access.log.9.gz", false)]
    [InlineData("access.1.log", "access.2.log", true)]
    [InlineData("access.2.log", "access.log.1", false)]
    [InlineData("access.log-20261126", "access.log-20261125.zst", true)]
    [InlineData("access.log-20261125", "access.log-20261126", false)]
    [InlineData("access.log-2026112600", "access.log-2026112523", true)]
    [InlineData("access.log-2026112523", "access.log-2026112600", false)]
    [InlineData("access-2026-11-26.log", "access-2026-11-25.log.gz", true)]
    [InlineData("access-2026-11-25.12.log", "access-2026-11-26.3.log", false)]
    [InlineData("access-2026-11-26.10.log", "access-2026-11-26.9.log", true)]
    [InlineData("access-2026-11-26.1.log", "access-2026-11-26.log", true)]
    [InlineData("access.log.1", "access.log-20261125", false)]
    public void The_name_tells_which_may_have_been_rotated_later(string name, string other, bool mayBeLater) =>
        Assert.Equal(mayBeLater, RotationName.Of(name, "access.log")!.MayBeLaterThan(RotationName.Of(other, "access.log")!));

    [Theory]
    [InlineData("access.log")]
    [InlineData("access.log.old")]
    [InlineData("access.log.bak1")]
    [InlineData("access10.log")]
    [InlineData("access.log.")]
    [InlineData("error.log.1")]
    public void Other_names_tell_nothing(string name) => Assert.Null(RotationName.Of(name, "access.log"));
}
