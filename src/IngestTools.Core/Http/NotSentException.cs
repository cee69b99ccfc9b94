namespace IngestTools.Http;

/// <summary>An operation was canceled before its request was sent, so the server has not seen it.</summary>
internal sealed class NotSentException(CancellationToken token)
    : OperationCanceledException("The request was canceled before it was sent.", token);
