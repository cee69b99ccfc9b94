using System.Globalization;
using System.Net;
using System.Text;

namespace IngestTools.Scheduling;

/// <summary>
/// Opens what answers a reading request while the scheduler does not run: the status of the answer on the first line, then the answer.
/// </summary>
/// <param name="request">The request: <c>runs?newest=5</c>.</param>
/// <param name="cancellationToken">Cancels the opening.</param>
/// <returns>The answer; null where there is nothing to answer from.</returns>
public delegate Task<Stream?> StoppedSchedulerReader(string request, CancellationToken cancellationToken);

/// <summary>Lets a reader answer what is only read, where nobody listens at the socket.</summary>
internal sealed class StoppedSchedulerHandler(HttpMessageHandler inner, StoppedSchedulerReader reader) : DelegatingHandler(inner)
{
    /// <summary>A status has three digits.</summary>
    private const int LongestStatus = 4;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
            when (request.Method == HttpMethod.Get && e.InnerException is IngestException { ErrorId: ErrorId.SchedulerNotRunning })
        {
            string asked = request.RequestUri!.PathAndQuery.TrimStart('/');
            if (await reader(asked, cancellationToken).ConfigureAwait(false) is not { } answer)
                throw;
            return await ReadAsync(request, answer, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<HttpResponseMessage> ReadAsync(HttpRequestMessage request, Stream answer, CancellationToken cancellationToken)
    {
        try
        {
            HttpResponseMessage response = new(await ReadStatusAsync(answer, cancellationToken).ConfigureAwait(false))
            {
                RequestMessage = request,
                Content = new StreamContent(answer),
            };
            response.Headers.Add(ControlProtocol.VersionHeader, ControlProtocol.Version.ToString(CultureInfo.InvariantCulture));
            return response;
        }
        catch
        {
            await answer.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<HttpStatusCode> ReadStatusAsync(Stream answer, CancellationToken cancellationToken)
    {
        byte[] one = new byte[1];
        StringBuilder line = new();
        while (line.Length < LongestStatus && await answer.ReadAsync(one, cancellationToken).ConfigureAwait(false) == 1 && one[0] != '\n')
            line.Append((char)one[0]);
        if (int.TryParse(line.ToString().TrimEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out int status))
            return (HttpStatusCode)status;
        throw new IngestException(ErrorId.InvalidAnswer, "The scheduler does not run, and the program that reads its store gave no answer.")
        {
            Operation = "schedule",
            Advice = "It needs the .NET 10 runtime: dotnet --list-runtimes. Start-IngestScheduler starts the scheduler.",
        };
    }
}
