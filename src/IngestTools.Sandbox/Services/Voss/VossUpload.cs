using System.Text;
using IngestTools.Sandbox.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>POST /api/uploadfiles/: a form with one part of the name uploadedfile.</summary>
internal sealed class VossUpload(VossState state, VossFault fault)
{
    private const string PartName = "uploadedfile";

    /// <summary>The bytes that a file system takes for one name.</summary>
    private const int LongestName = 255;

    private const int ChunkBytes = 64 * 1024;

    public async Task ReceiveAsync(HttpContext context)
    {
        if (BoundaryOf(context) is not { } boundary)
        {
            await fault.SendAsync(context, Status400BadRequest, "The upload is not a multipart form.");
            return;
        }

        MultipartReader form = new(boundary, context.Request.Body) { BodyLengthLimit = null };
        while (await form.ReadNextSectionAsync(context.RequestAborted) is { } section)
        {
            if (section.GetContentDispositionHeader() is not { } disposition || HeaderUtilities.RemoveQuotes(disposition.Name) != PartName)
                continue;
            await KeepAsync(context, HeaderUtilities.RemoveQuotes(disposition.FileName).ToString(), section.Body);
            return;
        }

        await fault.SendAsync(context, Status400BadRequest, $"The form has no part {PartName}.");
    }

    private async Task KeepAsync(HttpContext context, string name, Stream body)
    {
        if (name.Length == 0)
        {
            await fault.SendAsync(context, Status400BadRequest, "The file has no name.");
            return;
        }

        if (Encoding.UTF8.GetByteCount(name) > LongestName)
        {
            await fault.SendAsync(context, Status400BadRequest, "The file's name is too long.");
            return;
        }

        using MemoryStream content = new();
        byte[] chunk = new byte[ChunkBytes];
        for (int read; (read = await body.ReadAsync(chunk, context.RequestAborted)) > 0; )
        {
            await content.WriteAsync(chunk.AsMemory(0, read));
            if (content.Length <= (state.Options.MaxUploadBytes ?? long.MaxValue))
                continue;
            await fault.SendAsync(context, Status413PayloadTooLarge, "The file is too large.");
            return;
        }

        // Without the end of the form, the received content is only a part of the file.
        await body.DrainAsync(context.RequestAborted);
        VossFile file = await state.AddFileAsync(state.Options.NameGiven(name), content.ToArray());
        state.Environment.Changes.Pulse();
        await Answer.Json(context, Status202Accepted, new { uploadedfiles = new[] { new { file.Id, file.Name } } });
    }

    private static string? BoundaryOf(HttpContext context) =>
        MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 } boundary
            ? boundary.ToString()
            : null;
}
