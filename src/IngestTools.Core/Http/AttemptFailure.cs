namespace IngestTools.Http;

/// <summary>Turns the exception of an attempt into the error that it means.</summary>
internal static class AttemptFailure
{
    /// <summary>The error; an <see cref="OperationCanceledException"/> where the attempt was canceled or its time was over.</summary>
    public static Exception Of(
        IngestService service,
        HttpOperation operation,
        Exception exception,
        ServerText text,
        StallTimeout? stallTimeout,
        CancellationToken cancellationToken
    )
    {
        if (FindIngestException(exception) is { } own)
            return own;
        bool isCanceled = cancellationToken.IsCancellationRequested;
        if (isCanceled && exception is not OperationCanceledException)
            return new OperationCanceledException(exception.Message, exception, cancellationToken);
        if (isCanceled)
            return exception;
        if (stallTimeout?.HasEnded == true)
            return stallTimeout.NoProgress(service, operation, exception);
        if (exception is HttpRequestException or IOException)
            return HttpFailure.FromException(service, operation, exception, text);
        if (exception is not OperationCanceledException)
            return HttpFailure.Unexpected(service, operation, exception, text);
        // The handler's own limit for making a connection.
        string message = $"No connection to {operation.Uri.Authority} came about within the time given.";
        return new IngestException(ErrorId.TimedOut, message, exception)
        {
            Service = service,
            Operation = operation.Name,
            IsTransient = true,
            Advice = "Check the address in -Uri, the proxy, and the firewall between.",
            Target = operation.Target,
            IsUnreachable = true,
        };
    }

    /// <summary>An error that the body threw while it was sent (a file that changed) comes back wrapped.</summary>
    private static IngestException? FindIngestException(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is IngestException found)
                return found;
        }

        return null;
    }
}
