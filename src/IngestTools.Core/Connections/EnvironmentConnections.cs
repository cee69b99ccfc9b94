using IngestTools.Services.LakeFs;

namespace IngestTools.Connections;

/// <summary>
/// Connections that environment variables describe: <c>INGESTTOOLS_DSPINGEST_URI</c> and similar ones, and the names that users of a
/// service already have.
/// </summary>
public static class EnvironmentConnections
{
    /// <summary>The settings that the environment has for a service; null where it has no address for it.</summary>
    /// <param name="service">The service.</param>
    /// <param name="variable">Reads a variable; null takes the process's environment.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: a variable is not an address.</exception>
    public static ConnectionSettings? Read(IngestService service, Func<string, string?>? variable = null)
    {
        Func<string, string?> read = variable ?? Environment.GetEnvironmentVariable;
        string prefix = $"INGESTTOOLS_{service.ToString().ToUpperInvariant()}";
        (string? uriName, string? uri) = First(
            read,
            $"{prefix}_URI",
            service switch
            {
                IngestService.Ica => "ICAV2_BASE_URL",
                IngestService.LakeFs => "LAKECTL_SERVER_ENDPOINT_URL",
                _ => null,
            }
        );
        (string? tokenName, _) = First(
            read,
            $"{prefix}_TOKEN",
            service switch
            {
                IngestService.Ica => "ICAV2_ACCESS_TOKEN",
                IngestService.LakeFs => "LAKECTL_CREDENTIALS_SESSION_TOKEN",
                _ => null,
            }
        );
        (string? keyName, _) = First(read, service == IngestService.Ica ? $"{prefix}_APIKEY" : null);
        (_, string? userName) = First(
            read,
            $"{prefix}_USERNAME",
            service == IngestService.LakeFs ? "LAKECTL_CREDENTIALS_ACCESS_KEY_ID" : null
        );
        (string? passwordName, _) = First(
            read,
            $"{prefix}_PASSWORD",
            service == IngestService.LakeFs ? "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY" : null
        );
        (SignInKind signIn, string? secretName) = (tokenName, keyName, userName, passwordName) switch
        {
            ({ } token, _, _, _) => (SignInKind.Token, token),
            (_, { } key, _, _) => (SignInKind.ApiKey, key),
            (_, _, not null, { } password) => (SignInKind.Password, password),
            _ => (SignInKind.None, null),
        };
        // An address of ours may be another server's than the one that lakectl's file has credentials for.
        LakectlFile? file = service == IngestService.LakeFs && uriName != $"{prefix}_URI" ? LakectlFile.Find(read) : null;
        if (uri is null && file?.Endpoint is null && (service != IngestService.Ica || secretName is null))
            return null;
        ConnectionSettings settings = new()
        {
            Service = service,
            Uri = uri is null
                ? file?.Endpoint is { } endpoint
                    ? ReadUri(file.EndpointSource, endpoint)
                    : null
                : ReadUri($"The environment variable {uriName}", uri),
            SignIn = signIn,
            UserName = signIn == SignInKind.Password ? userName : null,
            SecretFrom = secretName is null ? null : $"env:{secretName}",
            Secret = secretName is null ? null : _ => ValueTask.FromResult(read(secretName) ?? ""),
            AuthenticationUri = read($"{prefix}_AUTHENTICATION_URI") is { Length: > 0 } login
                ? ReadUri($"The environment variable {prefix}_AUTHENTICATION_URI", login)
                : null,
        };
        return settings.SignIn == SignInKind.None && file is { HasCredentials: true }
            ? settings with
            {
                SignIn = SignInKind.Password,
                UserName = file.AccessKeyId,
                Secret = _ => ValueTask.FromResult(file.ReadSecret()),
            }
            : settings;
    }

    private static (string? Name, string? Value) First(Func<string, string?> read, params string?[] names)
    {
        foreach (string? name in names)
        {
            if (name is not null && read(name) is { Length: > 0 } value)
                return (name, value);
        }

        return default;
    }

    private static Uri ReadUri(string source, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out Uri? uri)
            ? uri
            : throw new IngestException(ErrorId.Rejected, $"{source} is not a valid address.")
            {
                Advice = "Write a full address, such as https://ingest.example.org.",
            };
}
