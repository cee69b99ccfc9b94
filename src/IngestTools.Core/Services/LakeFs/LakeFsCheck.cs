using IngestTools.Connections;

namespace IngestTools.Services.LakeFs;

/// <summary>Looks whether lakeFS is there, takes the credentials, and can import.</summary>
/// <remarks>lakeFS, GET /healthcheck, /config/version, /config/storage and /repositories/{repository}.</remarks>
internal sealed class LakeFsCheck(LakeFsRoutes routes)
{
    private readonly List<string> _details = [];

    public async Task<ServiceReport> RunAsync(string? repository, CancellationToken cancellationToken)
    {
        ServiceReport report = new()
        {
            Connection = routes.Connection.Name,
            Service = IngestService.LakeFs,
            Uri = routes.Connection.Uri,
            Details = _details,
        };
        long started = routes.Time.GetTimestamp();
        try
        {
            await routes.GetHealthAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            _details.Add($"Reachable: no. {e.Message} {e.Advice}");
            return report;
        }

        _details.Add("Reachable: yes.");
        report = report with { Reachable = true, ResponseTime = routes.Time.GetElapsedTime(started) };
        try
        {
            LakeFsVersion version = new(routes.Door.Word((await routes.GetVersionAsync(cancellationToken).ConfigureAwait(false)).Version));
            _details.Add("Signed in: yes.");
            _details.Add(Describe(version));
            report = report with { Version = version.Text, SignedIn = true };
        }
        catch (IngestException e)
        {
            bool isNo = e.ErrorId is ErrorId.NotSignedIn or ErrorId.SecretUnavailable;
            _details.Add($"Signed in: {(isNo ? "no" : "could not be found out")}. {e.Message} {e.Advice}");
            return report with { SignedIn = isNo ? false : null };
        }

        return report with
        {
            Allowed = await CheckImportsAsync(repository, cancellationToken).ConfigureAwait(false),
        };
    }

    private static string Describe(LakeFsVersion version)
    {
        string imports = version.IsReleased ? "imports as in v0.101 and later" : "no imports but the legacy ones (-Dialect Legacy)";
        string ranges = version.HasRanges switch
        {
            true => "ranges and metaranges",
            false => "no ranges and metaranges",
            null => "ranges and metaranges if it is older than v0.111",
        };
        return $"Version: {version}: {imports}; {ranges}.";
    }

    /// <summary>Whether imports can be expected to work; null where that could not be found out.</summary>
    private async Task<bool?> CheckImportsAsync(string? repository, CancellationToken cancellationToken)
    {
        try
        {
            StorageAnswer storage = await routes.GetStorageAsync(cancellationToken).ConfigureAwait(false);
            if (storage.ImportSupport == false)
            {
                _details.Add($"Allowed: no. The server cannot import from its storage ({routes.Door.Word(storage.BlockstoreType)}).");
                return false;
            }

            if (repository is null)
            {
                _details.Add("Allowed: not looked at. Give -Repository to look at one.");
                return null;
            }

            RepositoryAnswer found = await routes.GetRepositoryAsync(repository, cancellationToken).ConfigureAwait(false);
            _details.Add(
                found.ReadOnly == true
                    ? $"Allowed: repository '{repository}' is read-only. Start-Import -AllowReadOnly writes to it."
                    : $"Allowed: repository '{repository}' can be seen; whether it can be written to shows when an import starts."
            );
            return found.ReadOnly == true ? false : null;
        }
        catch (IngestException e)
        {
            bool isNo = e.ErrorId is ErrorId.NotAllowed or ErrorId.NotFound;
            _details.Add(
                $"Allowed: {(isNo ? "no" : "could not be found out")}. {e.Message} "
                    + $"{(e.ErrorId == ErrorId.NotFound ? "Check the name of the repository." : e.Advice)}"
            );
            return isNo ? false : null;
        }
    }
}
