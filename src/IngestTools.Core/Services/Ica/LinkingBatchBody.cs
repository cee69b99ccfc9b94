using System.Buffers;
using System.Text;
using System.Text.Json;

namespace IngestTools.Services.Ica;

/// <summary>Writes the body of a batch as its ids come.</summary>
/// <param name="capacity">How many bytes it will have, as far as that can be told: a buffer that grows leaves its smaller ones
/// behind.</param>
internal sealed class LinkingBatchBody(int capacity = LinkingBatchBody.FirstCapacity)
{
    private const int FirstCapacity = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _json = new(capacity);

    public int Count { get; private set; }

    public void Add(string id)
    {
        _json.Write(Count == 0 ? "{\"items\":[{\"dataId\":\""u8 : ",{\"dataId\":\""u8);
        // Letters, digits and a dot are the same in JSON.
        if (IcaIds.IsUsual(id))
            Encoding.ASCII.GetBytes(id, _json);
        else
            _json.Write(JsonEncodedText.Encode(id).EncodedUtf8Bytes);
        _json.Write("\"}"u8);
        Count++;
    }

    /// <summary>Ends the body; nothing can be added after.</summary>
    public LinkingBatchContent Finish(string projectId)
    {
        _json.Write("]}"u8);
        return new LinkingBatchContent(projectId, _json.WrittenMemory, Count);
    }
}
