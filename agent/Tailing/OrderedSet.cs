using System.Collections;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// A set in the order in which its members came, with all changes in constant time. A loop over it sees it as it was at the begin. There is one for
/// each name of a file, so a small one is a list without an index.
/// </summary>
internal sealed class OrderedSet<T> : IReadOnlyCollection<T>
    where T : class
{
    /// <summary>Members from which on a search of the list costs more than the index.</summary>
    private const int IndexedFrom = 8;

    private readonly LinkedList<T> _list = new();
    private Dictionary<T, LinkedListNode<T>>? _nodes;

    public int Count => _list.Count;

    public bool Contains(T member) => Find(member) is not null;

    public void Add(T member)
    {
        if (Find(member) is not null)
        {
            return;
        }
        LinkedListNode<T> node = _list.AddLast(member);
        if (_nodes is not null)
        {
            _nodes.Add(member, node);
        }
        else if (Count >= IndexedFrom)
        {
            Index();
        }
    }

    public void Remove(T member)
    {
        if (Find(member) is LinkedListNode<T> node)
        {
            _list.Remove(node);
            _nodes?.Remove(member);
        }
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)[.. _list]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private LinkedListNode<T>? Find(T member)
    {
        if (_nodes is not null)
        {
            return _nodes.GetValueOrDefault(member);
        }
        LinkedListNode<T>? node = _list.First;
        while (node is not null && !ReferenceEquals(node.Value, member))
        {
            node = node.Next;
        }
        return node;
    }

    private void Index()
    {
        _nodes = new Dictionary<T, LinkedListNode<T>>(ReferenceEqualityComparer.Instance);
        for (LinkedListNode<T>? node = _list.First; node is not null; node = node.Next)
        {
            _nodes.Add(node.Value, node);
        }
    }
}
