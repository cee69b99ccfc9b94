using IngestTools.Sandbox.Http;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>Refusals, in the form that the options name: the documentation shows none.</summary>
internal sealed class VossFault(VossOptions options)
{
    /// <summary>Codes of the server's own begin beyond those of HTTP.</summary>
    private const int FirstCode = 4000;

    public Task SendAsync(HttpContext context, int status, string message)
    {
        int code = FirstCode + status;
        return options.FaultShape switch
        {
            VossFaultShape.CodeAndMessage => Answer.Json(
                context,
                status,
                new
                {
                    http_code = status,
                    code,
                    message,
                }
            ),
            VossFaultShape.ErrorText => Answer.Json(context, status, new { error = message }),
            VossFaultShape.ErrorObject => Answer.Json(context, status, new { error = new { code, message } }),
            VossFaultShape.Detail => Answer.Json(context, status, new { detail = message }),
            VossFaultShape.Errors => Answer.Json(context, status, new { errors = new[] { new { message } } }),
            VossFaultShape.Text => Answer.Text(context, status, message),
            VossFaultShape.Html => Answer.Text(context, status, Page(message), "text/html; charset=utf-8"),
            _ => Answer.Empty(context, status),
        };
    }

    public static string Page(string title)
    {
        string encoded = System.Net.WebUtility.HtmlEncode(title);
        return $"<!DOCTYPE html><html><head><title>{encoded}</title></head><body><h1>{encoded}</h1></body></html>";
    }
}
