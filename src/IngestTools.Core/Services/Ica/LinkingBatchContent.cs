using System.Text.Json;

namespace IngestTools.Services.Ica;

/// <summary>The ids of one batch, ready to be sent.</summary>
public sealed class LinkingBatchContent
{
    private readonly ReadOnlyMemory<byte> _body;

    internal LinkingBatchContent(string projectId, ReadOnlyMemory<byte> body, int count)
    {
        ProjectId = projectId;
        _body = body;
        Count = count;
    }

    /// <summary>The project that the data is to be linked into.</summary>
    public string ProjectId { get; }

    /// <summary>How many ids.</summary>
    public int Count { get; }

    /// <summary>The JSON that is sent. The ids are kept in no other form: there may be a million of them.</summary>
    internal ReadOnlyMemory<byte> Body => _body;

    /// <summary>The ids, in the order in which they came.</summary>
    public IReadOnlyList<string> ReadIds()
    {
        List<string> ids = new(Count);
        Utf8JsonReader reader = new(_body.Span);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.String)
                ids.Add(reader.GetString()!);
        }

        return ids;
    }

    /// <summary>A content of other ids for the same project.</summary>
    internal static LinkingBatchContent Of(string projectId, IEnumerable<string> ids)
    {
        LinkingBatchBody body = new();
        foreach (string id in ids)
            body.Add(id);
        return body.Finish(projectId);
    }
}
