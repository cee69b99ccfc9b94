using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace IngestTools;

/// <summary>
/// Remembers which keys it has seen, at about 21 bytes a key whatever the keys' length: it keeps 128 bits of a key's SHA-256 in place of
/// the key. It grows a bucket at a time (linear hashing) in memory that it never gives back, so that growing leaves no garbage and has no
/// peaks.
/// </summary>
internal sealed class SeenKeys
{
    /// <summary>Hashes in a block: one line of a processor's cache.</summary>
    private const int BlockSlots = 4;

    /// <summary>Blocks in a slab: 64 KB, just below what .NET would take for a large object.</summary>
    private const int SlabBlocks = 1024;

    /// <summary>Hashes for each bucket: more would cost time, fewer would leave more of the last blocks empty.</summary>
    private const int KeysInBucket = 10;

    private const int MostStackBytes = 512;

    /// <summary>The end of a chain of blocks.</summary>
    private const int None = -1;

    private readonly List<UInt128[]> _slabs = [];

    /// <summary>For each block the next of its chain.</summary>
    private readonly List<int[]> _nexts = [];

    /// <summary>For each bucket the first block of its chain.</summary>
    private readonly List<int[]> _heads = [];

    private readonly List<UInt128> _splitting = [];
    private int _blocks;
    private int _free = None;
    private int _buckets;

    /// <summary>Buckets are numbered by this number of bits of a hash; buckets that were split in this round by one more.</summary>
    private int _bits;

    public SeenKeys() => AddBucket();

    public long Count { get; private set; }

    /// <summary>Adds a key; false where it was there.</summary>
    public bool Add(string key)
    {
        UInt128 hash = Hash(key);
        if (!TryPut(BucketOf(hash), hash))
            return false;
        if (++Count > (long)_buckets * KeysInBucket)
            SplitNext();
        return true;
    }

    public bool Contains(string key)
    {
        UInt128 hash = Hash(key);
        for (int block = Head(BucketOf(hash)); block != None; block = Next(block))
        {
            if (SlotsOf(block).Contains(hash))
                return true;
        }

        return false;
    }

    private static UInt128 Hash(string key)
    {
        int length = Encoding.UTF8.GetMaxByteCount(key.Length);
        Span<byte> bytes = length <= MostStackBytes ? stackalloc byte[MostStackBytes] : new byte[length];
        bytes = bytes[..Encoding.UTF8.GetBytes(key, bytes)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        UInt128 value = BinaryPrimitives.ReadUInt128LittleEndian(hash);
        // Zero marks a slot that is free.
        return value == UInt128.Zero ? UInt128.One : value;
    }

    private int BucketOf(UInt128 hash)
    {
        int bucket = (int)((uint)hash & ((1u << (_bits + 1)) - 1));
        return bucket < _buckets ? bucket : bucket & ((1 << _bits) - 1);
    }

    /// <summary>
    /// Puts a hash into the first free slot of a bucket; false where it is there already. Slots are filled in order, so a free one ends the
    /// search.
    /// </summary>
    private bool TryPut(int bucket, UInt128 hash)
    {
        ref int link = ref Head(bucket);
        while (link != None)
        {
            foreach (ref UInt128 slot in SlotsOf(link))
            {
                if (slot == hash)
                    return false;
                if (slot != UInt128.Zero)
                    continue;
                slot = hash;
                return true;
            }

            link = ref Next(link);
        }

        link = TakeBlock();
        SlotsOf(link)[0] = hash;
        return true;
    }

    /// <summary>Spreads the hashes of the next bucket over it and a new one.</summary>
    private void SplitNext()
    {
        if (_buckets == 1 << (_bits + 1))
            _bits++;
        int bucket = _buckets - (1 << _bits);
        AddBucket();
        for (int block = Head(bucket), next; block != None; block = next)
        {
            next = Next(block);
            foreach (UInt128 hash in SlotsOf(block))
            {
                if (hash != UInt128.Zero)
                    _splitting.Add(hash);
            }

            GiveBack(block);
        }

        Head(bucket) = None;
        foreach (UInt128 hash in _splitting)
            TryPut(BucketOf(hash), hash);
        _splitting.Clear();
    }

    private void AddBucket()
    {
        if (_buckets % SlabBlocks == 0)
            _heads.Add(new int[SlabBlocks]);
        _buckets++;
        Head(_buckets - 1) = None;
    }

    private int TakeBlock()
    {
        if (_free != None)
        {
            int reused = _free;
            _free = Next(reused);
            Next(reused) = None;
            return reused;
        }

        if (_blocks % SlabBlocks == 0)
        {
            _slabs.Add(new UInt128[SlabBlocks * BlockSlots]);
            _nexts.Add(new int[SlabBlocks]);
        }

        Next(_blocks) = None;
        return _blocks++;
    }

    private void GiveBack(int block)
    {
        SlotsOf(block).Clear();
        Next(block) = _free;
        _free = block;
    }

    private Span<UInt128> SlotsOf(int block) => _slabs[block / SlabBlocks].AsSpan(block % SlabBlocks * BlockSlots, BlockSlots);

    private ref int Next(int block) => ref _nexts[block / SlabBlocks][block % SlabBlocks];

    private ref int Head(int bucket) => ref _heads[bucket / SlabBlocks][bucket % SlabBlocks];
}
