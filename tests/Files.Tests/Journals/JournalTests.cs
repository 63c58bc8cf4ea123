using LogPipeline.Testing.Files;

namespace LogPipeline.Files.Tests.Journals;

/// <summary>What the journal promises its owner while it runs.</summary>
public sealed class JournalTests
{
    private readonly TestJournal _node = new(new Random(1));

    [Fact]
    public void A_commit_takes_everything_that_waits_and_one_is_under_way_at_a_time()
    {
        var flushes = new List<TaskCompletionSource>();
        _node.StartEmpty();
        _node.Append(1);
        _node.Journal.Commit(); // makes the file
        _node.Files.FlushDelay = _ =>
        {
            flushes.Add(new TaskCompletionSource());
            return flushes[^1].Task;
        };
        Assert.Equal(2, _node.Append(2));
        _node.Journal.Commit();
        Assert.Equal(3, _node.Append(3));
        Assert.Equal(3, _node.Append(4));
        _node.Journal.Commit();
        Assert.Equal([1], _node.Commits.Select(static commit => commit.Number));
        flushes[0].SetResult();
        Assert.Equal(2, _node.Journal.DurableCommit);
        flushes[1].SetResult();
        Assert.Equal(3, _node.Journal.DurableCommit);
        Assert.Equal(2, flushes.Count);
    }

    [Fact]
    public void The_disk_has_the_next_commit_while_the_owner_is_told_of_one()
    {
        var flushes = new List<TaskCompletionSource>();
        var underWay = new List<int>(); // when the owner was told
        _node.StartEmpty();
        _node.Append(1);
        _node.Journal.Commit(); // makes the file
        _node.Files.FlushDelay = _ =>
        {
            flushes.Add(new TaskCompletionSource());
            return flushes[^1].Task;
        };
        _node.OnCommitted = _ => underWay.Add(flushes.Count(static flush => !flush.Task.IsCompleted));
        for (int number = 2; number <= 4; number++)
        {
            _node.Append(number);
            _node.Journal.Commit();
        }
        flushes[0].SetResult(); // of 2 alone
        Assert.Equal([1], underWay);
        _node.Append(5);
        flushes[1].SetResult(); // of 3 and 4
        flushes[2].SetResult();
        Assert.Equal([1, 1, 0], underWay);
        Assert.Equal([1L, 2, 3, 4], _node.Commits.Select(static commit => commit.Number));
    }

    [Fact]
    public void What_is_appended_while_the_owner_is_told_is_committed_without_asking()
    {
        _node.StartEmpty();
        _node.OnCommitted = commit =>
        {
            if (commit.Number < 10)
            {
                _node.Append((int)commit.Number + 1);
            }
        };
        _node.Append(1);
        _node.Journal.Commit();
        Assert.Equal(10, _node.Journal.DurableCommit);
        Assert.Equal(10, _node.Commits.Count);
    }

    [Fact]
    public void Overwriting_a_recycled_file_changes_no_length_and_makes_no_file()
    {
        _node.StartEmpty();
        var calls = new List<FileCall>();
        for (int i = 1; i <= 40; i++)
        {
            if (i == 20)
            {
                _node.Files.Before = calls.Add;
            }
            _node.Append(i, 3000);
            _node.Journal.Commit();
            _node.Journal.Trim(i);
        }
        Assert.Empty(_node.Failures);
        Assert.DoesNotContain(calls, static call => call.Path.EndsWith(".journal", StringComparison.Ordinal)
            && call.Operation is not (FileOperation.Write or FileOperation.Flush));
        Assert.All(_node.Files.List(TestJournal.Directory).Where(static entry => entry.Name != "header"), entry =>
            Assert.Equal(_node.Options.FileBytes, _node.Files.Stat(TestJournal.Directory + "/" + entry.Name)!.Value.Length));
    }

    [Fact]
    public void A_full_journal_refuses_more_than_may_wait_and_goes_on_when_it_is_trimmed()
    {
        _node.StartEmpty();
        int number = 1;
        while (_node.SpaceNeeds == 0)
        {
            _node.Append(number++, 3000);
            _node.Journal.Commit();
        }
        Assert.Equal(15, _node.Journal.DurableCommit); // three files of five blocks
        while (_node.TryAppend(number, 3000, out _))
        {
            number++;
        }
        Assert.InRange(number, 17, 20);
        _node.Journal.Trim(4);
        Assert.Equal(15, _node.Journal.DurableCommit); // no whole file is free yet
        _node.Journal.Trim(5);
        Assert.Equal(17, _node.Journal.DurableCommit);
    }

    [Fact]
    public void With_room_for_one_file_only_that_one_is_used_again()
    {
        _node.StartEmpty();
        _node.Append(1, 3000);
        _node.Journal.Commit();
        _node.Disk.Capacity = _node.Disk.UsedBytes + 1000;
        _node.OnSpaceNeeded = last => _node.Journal.Trim(last);
        for (int i = 2; i <= 12; i++)
        {
            _node.Append(i, 3000);
            _node.Journal.Commit();
        }
        Assert.Equal(12, _node.Journal.DurableCommit);
        Assert.Empty(_node.Failures);
        Assert.Equal(["00.journal", "header"], _node.Files.List(TestJournal.Directory).Select(static entry => entry.Name));
    }

    [Fact]
    public void A_commit_that_the_disk_refused_is_written_to_the_same_place_again()
    {
        var writes = new List<FileCall>();
        _node.StartEmpty();
        _node.Append(1);
        _node.Journal.Commit();
        _node.Files.Before = call =>
        {
            if (call.Operation == FileOperation.Write)
            {
                writes.Add(call);
            }
            if (call.Operation == FileOperation.Flush && writes.Count == 1)
            {
                throw new IOException("the disk refused the sync");
            }
        };
        _node.Append(2);
        _node.Journal.Commit();
        Assert.Equal(1, _node.Journal.DurableCommit);
        Assert.IsType<IOException>(Assert.Single(_node.Failures));
        _node.Append(3);
        _node.Journal.Commit();
        Assert.Equal(3, _node.Journal.DurableCommit);
        Assert.Equal(writes[0], writes[1]);
        Assert.Equal([1, 2, 3], TestJournal.Numbers(_node.Read()));
    }

    [Fact]
    public void Entries_of_several_lives_are_read_in_the_order_they_were_appended()
    {
        _node.StartEmpty();
        for (int i = 1; i <= 6; i++)
        {
            _node.Append(i);
            _node.Journal.Commit();
            _node.Files.Kill();
            _node.Open(_node.Read(), safe: 2);
        }
        Assert.Equal([3, 4, 5, 6], TestJournal.Numbers(_node.Read()));
    }

    [Fact]
    public void Another_file_size_is_taken_when_nothing_is_needed_any_more()
    {
        _node.StartEmpty();
        _node.Append(1);
        _node.Journal.Commit();
        _node.Options = _node.Options with { FileBytes = 8 * 4096 };
        _node.Open(_node.Read(), safe: 0);
        _node.Append(2);
        _node.Journal.Commit();
        Assert.Equal(5 * 4096, _node.Files.Stat(TestJournal.Directory + "/00.journal")!.Value.Length);
        _node.StartEmpty();
        _node.Append(3);
        _node.Journal.Commit();
        Assert.Equal(8 * 4096, _node.Files.Stat(TestJournal.Directory + "/00.journal")!.Value.Length);
        Assert.Equal([3], TestJournal.Numbers(_node.Read()));
    }
}
