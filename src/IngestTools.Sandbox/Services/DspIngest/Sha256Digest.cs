using System.Buffers.Binary;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>A SHA-256 in 32 bytes without an object of its own: there may be one for each of a million files.</summary>
public readonly record struct Sha256Digest
{
    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Takes the 32 bytes of a hash.</summary>
    public Sha256Digest(ReadOnlySpan<byte> hash)
    {
        _a = BinaryPrimitives.ReadUInt64BigEndian(hash);
        _b = BinaryPrimitives.ReadUInt64BigEndian(hash[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(hash[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(hash[24..]);
    }

    /// <summary>Reads 64 hex digits.</summary>
    public static Sha256Digest Parse(string hex) => new(Convert.FromHexString(hex));

    /// <summary>64 lower-case hex digits, as DSP-INGEST writes a checksum.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x16}{_d:x16}";
}
