namespace IngestTools.Uploads;

/// <summary>Tells errors that every file of a target would get from those of one request.</summary>
internal static class TargetFailure
{
    /// <summary>
    /// Whether an error means that no file can be sent to the target: the sign-in failed or does not suffice, the address is wrong, or
    /// there is no connection. A server error or an answer that cannot be read concerns one request.
    /// </summary>
    public static bool IsForEveryFile(IngestException error) =>
        error.IsBeforeSending
        || error.IsUnreachable
        || error.ErrorId switch
        {
            ErrorId.NotSignedIn or ErrorId.NotAllowed or ErrorId.SecretUnavailable or ErrorId.NoConnection => true,
            ErrorId.NotFound or ErrorId.Redirected or ErrorId.InsecureConnection => true,
            // No connection came about: the host is not known, or the proxy does not connect. One that broke concerns one request.
            ErrorId.ConnectionFailed => !error.MayHaveActed,
            _ => false,
        };
}
