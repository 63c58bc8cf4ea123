using LogPipeline.Files.Journals;

namespace LogPipeline.Files.Tests.Journals;

/// <summary>Bytes that no crash explains: told as damage, with what can still be read beside them.</summary>
public sealed class JournalDamageTests
{
    private readonly TestJournal _node = new(new Random(1));

    [Fact]
    public void One_flipped_bit_anywhere_is_told_unless_it_is_in_the_last_commit_or_in_nothing_that_counts()
    {
        for (int seed = 0; seed < 600; seed++)
        {
            var random = new Random(seed);
            var node = new TestJournal(new Random(seed));
            node.StartEmpty();
            int numbers = 0;
            var lengths = new List<int>(); // by commit: its entries
            for (int commit = 1; commit <= 9; commit++)
            {
                lengths.Add(random.Next(1, 5));
                for (int i = 0; i < lengths[^1]; i++)
                {
                    node.Append(++numbers, random.Next(4, 1500));
                }
                node.Journal.Commit();
            }
            node.Files.Kill();
            string path = $"{TestJournal.Directory}/{random.Next(2):D2}.journal";
            long position = random.Next(node.Options.FileBytes);
            node.Disk.Corrupt(path, position, (byte)(1 << random.Next(8)));

            JournalReader found = node.Read();
            List<int> read = TestJournal.Numbers(found);
            if (found.LastCommit == 8)
            {
                Assert.True(found.HasTornTail);
                Assert.Empty(found.Damages);
                Assert.Equal(Enumerable.Range(1, numbers - lengths[^1]), read);
            }
            else if (found.Damages.Count == 0)
            {
                Assert.Equal(Enumerable.Range(1, numbers), read); // zeros between or behind the commits
            }
            else
            {
                JournalDamage damage = Assert.Single(found.Damages);
                Assert.Equal(path, damage.Path);
                Assert.InRange(position, damage.Position, damage.Position + damage.Length - 1);
                Assert.True(read.Count >= numbers - 1, "one bit is in one frame");
                Assert.Equal(read.Order(), read);
            }
            found.Dispose();
        }
    }

    [Fact]
    public void The_last_commit_is_cut_whole_when_a_byte_of_it_is_bad()
    {
        _node.StartEmpty();
        _node.Append(1);
        _node.Journal.Commit();
        _node.Append(2);
        _node.Append(3);
        _node.Journal.Commit();
        _node.Files.Kill();
        _node.Disk.Corrupt(TestJournal.Directory + "/00.journal", 4096 + 136 + 50, 1);
        using JournalReader found = _node.Read();
        Assert.Equal([1], TestJournal.Numbers(found));
        Assert.True(found.HasTornTail);
        Assert.Empty(found.Damages);
    }

    [Fact]
    public void A_commit_of_an_earlier_life_is_never_a_torn_tail()
    {
        _node.StartEmpty();
        _node.Append(1);
        _node.Journal.Commit();
        _node.Files.Kill();
        _node.Open(_node.Read(), safe: 0);
        _node.Files.Kill();
        _node.Disk.Corrupt(TestJournal.Directory + "/00.journal", 50, 1);
        using JournalReader found = _node.Read();
        Assert.False(found.HasTornTail);
        JournalDamage damage = Assert.Single(found.Damages);
        Assert.Equal((TestJournal.Directory + "/00.journal", 0, 1, 1), (damage.Path, damage.Position, damage.FirstCommit, damage.LastCommit));
    }

    [Fact]
    public void Damage_in_what_is_safe_elsewhere_is_not_told()
    {
        _node.StartEmpty();
        for (int i = 1; i <= 8; i++)
        {
            _node.Append(i, 3000);
            _node.Journal.Commit();
        }
        _node.Journal.Trim(6);
        _node.Files.Kill();
        _node.Disk.Corrupt(TestJournal.Directory + "/00.journal", 50, 1);
        using JournalReader found = _node.Read();
        Assert.Empty(found.Damages);
        Assert.Equal([7, 8], TestJournal.Numbers(found));
    }

    [Fact]
    public void A_file_that_is_gone_is_damage()
    {
        _node.StartEmpty();
        for (int i = 1; i <= 8; i++)
        {
            _node.Append(i, 3000);
            _node.Journal.Commit();
        }
        _node.Files.Delete(TestJournal.Directory + "/00.journal");
        using JournalReader found = _node.Read();
        JournalDamage damage = Assert.Single(found.Damages);
        Assert.Equal((1, 5), (damage.FirstCommit, damage.LastCommit));
        Assert.Equal([6, 7, 8], TestJournal.Numbers(found));
    }

    [Fact]
    public void A_header_that_is_damaged_or_gone_is_refused_by_name()
    {
        _node.StartEmpty();
        _node.Append(1);
        _node.Journal.Commit();
        _node.Disk.Corrupt(TestJournal.Directory + "/header", 20, 1);
        Assert.Contains("/journal/header is damaged", Assert.Throws<InvalidDataException>(() => _node.Read()).Message, StringComparison.Ordinal);
        _node.Files.Delete(TestJournal.Directory + "/header");
        Assert.Contains("/journal/header is missing", Assert.Throws<InvalidDataException>(() => _node.Read()).Message, StringComparison.Ordinal);
    }
}
