using System.Runtime.InteropServices.Marshalling;

namespace LogPipeline.Files.Linux;

/// <summary>Hands a path to the kernel with the bytes that it was listed with.</summary>
[CustomMarshaller(typeof(string), MarshalMode.ManagedToUnmanagedIn, typeof(In))]
public static unsafe class PathMarshaller
{
    /// <summary>One call's path, NUL terminated, in the caller's buffer where it has room.</summary>
    public ref struct In
    {
        private Span<byte> _path;

        public static int BufferSize => 256;

        public void FromManaged(string managed, Span<byte> buffer)
        {
            int length = PathText.Length(managed);
            _path = length < buffer.Length ? buffer[..(length + 1)] : GC.AllocateUninitializedArray<byte>(length + 1, pinned: true);
            PathText.Encode(managed, _path);
            _path[length] = 0;
        }

        public readonly ref byte GetPinnableReference() => ref System.Runtime.InteropServices.MemoryMarshal.GetReference(_path);

        public readonly byte* ToUnmanaged() => (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref GetPinnableReference());

        public readonly void Free()
        {
            // The garbage collector takes a larger path.
        }
    }
}
