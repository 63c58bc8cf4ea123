using System.Collections;

namespace LogPipeline.Agent.Tailing;

/// <summary>A set in the order in which its members came, with all changes in constant time. A loop over it sees it as it was at the begin.</summary>
internal sealed class OrderedSet<T> : IReadOnlyCollection<T>
    where T : class
{
    private readonly LinkedList<T> _list = new();
    private readonly Dictionary<T, LinkedListNode<T>> _nodes = new(ReferenceEqualityComparer.Instance);

    public int Count => _list.Count;

    public bool Contains(T member) => _nodes.ContainsKey(member);

    public void Add(T member)
    {
        if (!_nodes.ContainsKey(member))
        {
            _nodes.Add(member, _list.AddLast(member));
        }
    }

    public void Remove(T member)
    {
        if (_nodes.Remove(member, out LinkedListNode<T>? node))
        {
            _list.Remove(node);
        }
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)[.. _list]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
