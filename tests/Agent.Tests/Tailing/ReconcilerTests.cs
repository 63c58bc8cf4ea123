using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;

namespace LogPipeline.Agent.Tests.Tailing;

public sealed class ReconcilerTests
{
    [Theory]
    [InlineData(0, 10, 10, false, true, FileStep.None)] // nothing new
    [InlineData(0, 10, 10, true, true, FileStep.None)] // touched
    [InlineData(0, 10, 10, true, false, FileStep.Cut)] // cut and written anew to the same length
    [InlineData(0, 10, 9, true, true, FileStep.Cut)]
    [InlineData(0, 10, 11, true, true, FileStep.Read)]
    [InlineData(0, 10, 11, false, true, FileStep.Read)] // seen before, not read yet
    [InlineData(0, 0, 11, true, true, FileStep.Read)]
    [InlineData(0, 0, 11, true, false, FileStep.Cut)] // cut and written anew before anything of it was read
    [InlineData(0, 0, 0, true, false, FileStep.Cut)]
    [InlineData(1, 10, 11, true, true, FileStep.Read)]
    [InlineData(2, 10, 11, true, true, FileStep.Revive)]
    [InlineData(2, 10, 10, false, true, FileStep.None)]
    public void A_look_at_a_followed_file_asks_for_one_step(int phase, long read, long length, bool isChanged, bool holdsTail, object step)
    {
        var facts = new FileFacts((GenerationPhase)phase, read, read, length, isChanged, IsQuiet: false, IsScanned: true);
        Assert.Equal(step, Reconciler.OfFile(facts, () => holdsTail));
    }

    [Theory]
    [InlineData(0, 10, 10, 10, true, true, FileStep.None)] // its path names it
    [InlineData(1, 10, 10, 10, false, true, FileStep.None)] // it may be written to yet
    [InlineData(1, 10, 5, 10, true, true, FileStep.None)] // not acked
    [InlineData(1, 10, 10, 10, true, true, FileStep.Finish)]
    [InlineData(1, 10, 10, 12, true, false, FileStep.Read)] // whole lines may follow
    [InlineData(1, 10, 10, 12, true, true, FileStep.TakeRest)]
    public void A_rotated_file_is_finished_when_it_is_read_acked_and_quiet(
        int phase, long read, long acked, long length, bool isQuiet, bool isScanned, object step)
    {
        var facts = new FileFacts((GenerationPhase)phase, read, acked, length, IsChanged: false, isQuiet, isScanned);
        Assert.Equal(step, Reconciler.OfRotated(facts));
    }

    [Theory]
    [InlineData("", PathStep.None)]
    [InlineData("readable", PathStep.Begin)]
    [InlineData("readable nameless", PathStep.Refuse)]
    [InlineData("readable nameless copy", PathStep.Wait)]
    [InlineData("readable copy", PathStep.Wait)]
    [InlineData("readable copy replaces", PathStep.Continue)]
    [InlineData("readable copy replaces away", PathStep.Resume)]
    [InlineData("readable copy replaces away compressed", PathStep.LeaveOut)]
    [InlineData("copy replaces away compressed", PathStep.None)]
    public void A_new_path_asks_for_the_step_that_says_most(string facts, object step) => Assert.Equal(step, Reconciler.OfPath(new Facts(facts)));

    [Theory]
    [InlineData("access.log.1", "access.log", true)]
    [InlineData("access.log-20261126", "access.log", true)]
    [InlineData("access.1.log", "access.log", true)]
    [InlineData("access-20261126.log", "access.log", true)]
    [InlineData("access.log.2", "access.log.1", false)]
    [InlineData("app10.log", "app1.log", false)]
    [InlineData("backup.2.log", "backup.1.log", false)]
    [InlineData("access.log", "access.log", false)]
    public void Copies_are_named_as_rotations_name_them(string name, string original, bool isCopy) =>
        Assert.Equal(isCopy, CopyNames.IsCopyOf(name, original));

    private sealed class Facts(string facts) : IPathFacts
    {
        public bool IsReadable => facts.Contains("readable", StringComparison.Ordinal);

        public bool IsCompressed => facts.Contains("compressed", StringComparison.Ordinal);

        public bool WasAway => facts.Contains("away", StringComparison.Ordinal);

        public bool ReplacesOneThatIsGone => facts.Contains("replaces", StringComparison.Ordinal);

        public bool MayBeCopy => facts.Contains("copy", StringComparison.Ordinal);

        public bool HasTopic => !facts.Contains("nameless", StringComparison.Ordinal);
    }
}
