using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace IngestTools;

/// <summary>
/// Remembers which keys it has seen, at about 22 bytes a key whatever the keys' length: it keeps 128 bits of a key's SHA-256 in place of the key.
/// It grows in small steps, so that memory has no peaks.
/// </summary>
internal sealed class SeenKeys
{
    private const int FirstSegments = 16;

    /// <summary>A segment is split when it is this full; probing stays short below it.</summary>
    private const double MostFull = 0.85;

    private const int SegmentSlots = 256;

    private const int MostStackBytes = 512;

    private Segment[] _directory = Enumerable.Range(0, FirstSegments).Select(_ => new Segment(depth: 4)).ToArray();
    private int _depth = 4;

    public long Count { get; private set; }

    /// <summary>Adds a key; false where it was there.</summary>
    public bool Add(string key) => Add(Hash(key));

    public bool Contains(string key)
    {
        UInt128 hash = Hash(key);
        return _directory[IndexOf(hash)].Contains(hash);
    }

    private static UInt128 Hash(string key)
    {
        int length = Encoding.UTF8.GetMaxByteCount(key.Length);
        Span<byte> bytes = length <= MostStackBytes ? stackalloc byte[MostStackBytes] : new byte[length];
        bytes = bytes[..Encoding.UTF8.GetBytes(key, bytes)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        UInt128 value = BinaryPrimitives.ReadUInt128LittleEndian(hash);
        return value == UInt128.Zero ? UInt128.One : value;
    }

    private bool Add(UInt128 hash)
    {
        while (true)
        {
            Segment segment = _directory[IndexOf(hash)];
            if (segment.Contains(hash))
                return false;
            if (segment.Count < SegmentSlots * MostFull)
            {
                segment.Add(hash);
                Count++;
                return true;
            }

            Split(segment, hash);
        }
    }

    /// <summary>The high bits choose the segment, the low bits the place in it.</summary>
    private int IndexOf(UInt128 hash) => (int)(uint)(hash >> (128 - _depth));

    /// <summary>Extendible hashing: a full segment becomes two, and only the directory of segments ever doubles.</summary>
    private void Split(Segment segment, UInt128 hashInIt)
    {
        if (segment.Depth == _depth)
        {
            Segment[] doubled = new Segment[_directory.Length * 2];
            for (int i = 0; i < doubled.Length; i++)
                doubled[i] = _directory[i / 2];
            _directory = doubled;
            _depth++;
        }

        Segment low = new(segment.Depth + 1);
        Segment high = new(segment.Depth + 1);
        foreach (UInt128 hash in segment.Hashes())
            (((hash >> (128 - low.Depth)) & 1) == 0 ? low : high).Add(hash);
        int size = 1 << (_depth - segment.Depth);
        int first = IndexOf(hashInIt) / size * size;
        Array.Fill(_directory, low, first, size / 2);
        Array.Fill(_directory, high, first + size / 2, size / 2);
    }

    private sealed class Segment(int depth)
    {
        private readonly UInt128[] _slots = new UInt128[SegmentSlots];

        public int Depth => depth;

        public int Count { get; private set; }

        public bool Contains(UInt128 hash) => _slots[SlotOf(hash)] == hash;

        public void Add(UInt128 hash)
        {
            _slots[SlotOf(hash)] = hash;
            Count++;
        }

        public IEnumerable<UInt128> Hashes() => _slots.Where(hash => hash != UInt128.Zero);

        /// <summary>The slot that holds the hash, or the free one where it would go.</summary>
        private int SlotOf(UInt128 hash)
        {
            int slot = (int)(uint)(hash & (SegmentSlots - 1));
            while (_slots[slot] != UInt128.Zero && _slots[slot] != hash)
                slot = (slot + 1) & (SegmentSlots - 1);
            return slot;
        }
    }
}
